return read_session()
