"""Which way each building goes, before anything is scored or planned."""
