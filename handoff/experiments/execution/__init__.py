"""Many runs: what one is asked to do, who does it, and what comes back."""
