//! stub
use crate::layer::EntryPath;
pub(super) fn ca_bundle(_: &[(&EntryPath, &[u8])]) -> Result<Vec<u8>, String> {
    todo!()
}
pub(super) fn java_truststore(_: &[(&EntryPath, &[u8])]) -> Result<Vec<u8>, String> {
    todo!()
}
pub(super) fn accounts(_: &[u8], _: &[String]) -> Result<Vec<u8>, String> {
    todo!()
}
pub(super) fn md5sums(_: &[(String, Vec<u8>)]) -> Vec<u8> {
    todo!()
}
pub(super) fn status(_: &str) -> Vec<u8> {
    todo!()
}
pub(super) fn pem_certificates(_: &str) -> Vec<String> {
    todo!()
}
