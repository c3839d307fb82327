section_refusals() { :; }
