section_own() { :; }
