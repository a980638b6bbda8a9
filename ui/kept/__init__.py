"""What a person made is kept: per browser on the server, and in files of their own."""
