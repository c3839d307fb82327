section_docker() { :; }
