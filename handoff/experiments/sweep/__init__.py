"""Sweeps: many points, each in several replications, in one dataset that grows, resumes and answers SQL."""
