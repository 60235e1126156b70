"""Reports: one HTML file that shows the tables of a study, without requests to anywhere."""
