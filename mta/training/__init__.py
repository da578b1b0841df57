"""The training loop: phases, supervision after each epoch, and the state that survives a crash."""
