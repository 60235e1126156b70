"""Many runs: execution, sweeps and capacity plans."""
