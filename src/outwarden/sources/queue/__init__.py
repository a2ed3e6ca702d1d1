"""What is waiting in a mail server's queue, out of the text that its own tools print or export.

``recognise.read_queue`` tells which form a text is and reads it; each form has a file of its own.
Readers think: whoever runs the tools or opens the files hands them the text and the time.
"""
