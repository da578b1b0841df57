"""Studies: many settings by many seeds on one test, run beside each other and compared."""
