use super::{Repository, Transport};
use crate::net::{Client, Exchange, Verb};

/// How a registry is spoken to: where the user does not care ([`Transport::Either`]), by TLS where it has that. It is asked
/// once, without credentials, and what it answers does not matter.
pub async fn reach(client: &Client, repository: &Repository, transport: Transport) -> Transport {
    if transport != Transport::Either {
        return transport;
    }
    match client.exchange_once(Exchange::new(Verb::Get, repository.root(Transport::TlsOnly))).await {
        Ok(_) => Transport::TlsOnly,
        Err(_) => Transport::Plain,
    }
}
