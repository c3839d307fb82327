section_habits() { :; }
