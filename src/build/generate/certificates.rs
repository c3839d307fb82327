//! Certificates as PEM text (RFC 7468).

use crate::layer::EntryPath;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The PEM blocks of the certificates in a text, each with a final newline and nothing around it.
pub(in crate::build) fn pem_certificates(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find(BEGIN) {
        let Some(end) = rest[begin..].find(END) else { break };
        let (block, after) = rest[begin..].split_at(end + END.len());
        found.push(format!("{}\n", block.replace("\r\n", "\n")));
        rest = after;
    }
    found
}

/// All certificates of these files, in their order, as one text: what `update-ca-certificates` makes.
pub(in crate::build) fn ca_bundle(files: &[(&EntryPath, &[u8])]) -> Result<Vec<u8>, String> {
    Ok(certificates(files)?.into_iter().map(|(_, pem)| pem).collect::<String>().into_bytes())
}

/// Each certificate with the name of its file; a file without one is an error.
pub(super) fn certificates(files: &[(&EntryPath, &[u8])]) -> Result<Vec<(String, String)>, String> {
    let mut all = Vec::new();
    for (path, bytes) in files {
        let text = std::str::from_utf8(bytes).map_err(|_| format!("{path} is not PEM text"))?;
        let found = pem_certificates(text);
        if found.is_empty() {
            return Err(format!("{path} holds no PEM certificate"));
        }
        let name = path.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let name = String::from_utf8_lossy(name).into_owned();
        all.extend(found.into_iter().map(|pem| (name.clone(), pem)));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_cut_out_of_prose() {
        let text = format!("# mine\r\n{BEGIN}\r\nAAAA\r\n{END}\r\nmore\n{BEGIN}\nBBBB\n{END}");
        let expected = ["AAAA", "BBBB"].map(|body| format!("{BEGIN}\n{body}\n{END}\n"));
        assert_eq!(pem_certificates(&text), expected);
        assert!(pem_certificates(&format!("{BEGIN} cut off")).is_empty());
        let path = EntryPath::new(b"a/x.crt").unwrap();
        assert_eq!(ca_bundle(&[(&path, text.as_bytes())]).unwrap(), expected.concat().into_bytes());
        assert_eq!(ca_bundle(&[(&path, b"nothing")]).unwrap_err(), "a/x.crt holds no PEM certificate");
    }
}
