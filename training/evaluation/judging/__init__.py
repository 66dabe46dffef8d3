"""What a judge is asked, and how: questions and verdicts are pure, asking alone knows the network."""
