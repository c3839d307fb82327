//! What scanners read of a package that no dpkg installed: `var/lib/dpkg/status.d/PACKAGE` and `PACKAGE.md5sums`.

/// The control stanza, ended by one newline.
pub(in crate::build) fn status(stanza: &str) -> Vec<u8> {
    format!("{}\n", stanza.trim_end_matches('\n')).into_bytes()
}

/// Lines of `DIGEST  PATH`, as in the package.
pub(in crate::build) fn md5sums(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    files.iter().flat_map(|(digest, path)| [digest.as_bytes(), b"  ", path, b"\n"].concat()).collect()
}
