section_auth() { :; }
