"""What `mta.export` is made of: the serving network, the file formats, the check and the whole-or-nothing writing."""
