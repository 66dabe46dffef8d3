"""What people see of a running Understudy, over HTTP. Knows no workflow: what it shows and starts is handed to it."""
