section_killed() { :; }
