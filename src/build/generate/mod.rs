//! What package scripts would have made, as pure functions over bytes.

mod accounts;
mod certificates;
mod java_truststore;
mod package_status;

pub(super) use accounts::accounts;
pub(super) use certificates::{ca_bundle, pem_certificates};
pub(super) use java_truststore::java_truststore;
pub(super) use package_status::{md5sums, status};
