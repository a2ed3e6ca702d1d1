"""The milter protocol, version 6, as Sendmail and Postfix speak it: codec, conversation and listener."""
