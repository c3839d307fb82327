section_podman() { :; }
