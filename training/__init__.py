"""What a training loop needs around it: run folder, exact resume, device and precision, progress, plots, metrics."""
