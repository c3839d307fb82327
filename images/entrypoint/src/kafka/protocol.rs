//! The few messages of Kafka's protocol that are asked without a JVM.
//!
//! Their versions are the newest ones that need no compact encoding, and that every Kafka from 3.5 to 4.3 answers: 4.0
//! took versions away (KIP-896), of CreateTopics those below 2, of the other two none. Sources: apache/kafka
//! clients/src/main/resources/common/message/{ApiVersions,Metadata,CreateTopics}{Request,Response}.json

use std::io::{self, BufReader, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use crate::deadline::{Deadline, TimedStream};

/// A kind of request and its version.
#[derive(Debug, Clone, Copy)]
struct Api {
    key: i16,
    version: i16,
}

/// Every version of Kafka answers this one, also before a client has authenticated.
const API_VERSIONS: Api = Api { key: 18, version: 0 };

/// From 5 on the answer names replicas in folders that failed; from 7 on it has more that is not needed.
const METADATA: Api = Api { key: 3, version: 5 };

/// From 4 on -1 stands for the broker's own default of partitions and replicas (KIP-464).
const CREATE_TOPICS: Api = Api { key: 19, version: 4 };

/// An answer of this size comes from no broker. What is read of one is not kept, so memory does not grow with it.
const LARGEST: usize = 256 << 20;

/// A connection to a broker.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TimedStream>,
    requests: i32,
}

/// A broker, as a client would connect to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Its id.
    pub id: i32,
    /// The host that it advertises.
    pub host: String,
    /// The port that it advertises.
    pub port: u16,
}

/// What a broker says of its cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cluster {
    /// The brokers that live; in KRaft those that are not fenced.
    pub brokers: Vec<Broker>,
    /// The controller; in KRaft any broker, which passes on what is meant for the controller.
    pub controller: i32,
}

/// A partition, as a broker tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partition {
    /// The topic.
    pub topic: String,
    /// The number.
    pub number: i32,
    /// The leader; -1 where there is none.
    pub leader: i32,
    /// The brokers that hold it.
    pub replicas: Vec<i32>,
    /// Those of them that are in sync.
    pub in_sync: Vec<i32>,
}

/// A topic to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// The name.
    pub name: String,
    /// The number of partitions; -1 is the broker's default.
    pub partitions: i32,
    /// The number of replicas; -1 is the broker's default.
    pub replicas: i16,
    /// The settings that are not the default.
    pub settings: Vec<(String, String)>,
}

/// What became of a topic to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The topic.
    pub name: String,
    /// Kafka's error code, 0 where it was created.
    pub error: i16,
    /// What the broker says of it.
    pub message: String,
}

/// Which topics are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topics {
    /// None: the brokers only.
    None,
    /// All that this client may see.
    All,
}

impl Connection {
    /// Connects to the first address that accepts; whatever is asked is answered within this time in all.
    pub fn open(addresses: &[SocketAddr], patience: Duration) -> io::Result<Connection> {
        let stream = TimedStream::connect(addresses, Deadline::after(patience))?;
        Ok(Connection { stream: BufReader::new(stream), requests: 0 })
    }

    /// Asks for the versions of the protocol, which says that requests are answered.
    pub fn api_versions(&mut self) -> io::Result<()> {
        let mut answer = self.ask(API_VERSIONS, &[])?;
        match answer.int16()? {
            0 => answer.skip_rest(),
            code => Err(io::Error::other(format!("it answered a request for its versions with error {code}"))),
        }
    }

    /// Asks for the cluster, and for partitions; each is handed over as it is read.
    pub fn metadata(&mut self, topics: Topics, each: &mut dyn FnMut(&Partition)) -> io::Result<Cluster> {
        let count: i32 = if topics == Topics::All { -1 } else { 0 };
        // The last byte: no topic comes to be by this question.
        let mut answer = self.ask(METADATA, &[&count.to_be_bytes()[..], &[0]].concat())?;
        answer.int32()?; // how long the client was throttled
        let mut brokers = Vec::new();
        for _ in 0..answer.count()? {
            let (id, host, port) = (answer.int32()?, answer.string()?, answer.int32()?);
            answer.string()?; // the rack
            brokers.push(Broker { id, host, port: u16::try_from(port).unwrap_or(0) });
        }
        answer.string()?; // the cluster's id
        let cluster = Cluster { brokers, controller: answer.int32()? };
        for _ in 0..answer.count()? {
            answer.int16()?; // an error of the topic's
            let topic = answer.string()?;
            answer.skip(1)?; // whether it is internal
            let mut partition = Partition { topic, ..Partition::default() };
            for _ in 0..answer.count()? {
                answer.int16()?; // an error of the partition's
                (partition.number, partition.leader) = (answer.int32()?, answer.int32()?);
                answer.numbers(&mut partition.replicas)?;
                answer.numbers(&mut partition.in_sync)?;
                answer.numbers(&mut Vec::new())?; // offline replicas, which are not in sync
                each(&partition);
            }
        }
        answer.skip_rest()?;
        Ok(cluster)
    }

    /// Creates topics, and waits this long at the broker until they are there.
    pub fn create_topics(&mut self, topics: &[NewTopic], patience: Duration) -> io::Result<Vec<Created>> {
        let mut body = Vec::new();
        put_count(&mut body, topics.len());
        for topic in topics {
            put_string(&mut body, &topic.name);
            body.extend(topic.partitions.to_be_bytes());
            body.extend(topic.replicas.to_be_bytes());
            put_count(&mut body, 0); // which broker gets which partition is left to the controller
            put_count(&mut body, topic.settings.len());
            for (name, value) in &topic.settings {
                put_string(&mut body, name);
                put_string(&mut body, value);
            }
        }
        body.extend(i32::try_from(patience.as_millis()).unwrap_or(i32::MAX).to_be_bytes());
        body.push(0); // not for validation only
        let mut answer = self.ask(CREATE_TOPICS, &body)?;
        answer.int32()?; // how long the client was throttled
        let mut created = Vec::new();
        for _ in 0..answer.count()? {
            created.push(Created { name: answer.string()?, error: answer.int16()?, message: answer.string()? });
        }
        answer.skip_rest()?;
        Ok(created)
    }

    /// Sends a request, and reads its answer's size and number.
    fn ask(&mut self, api: Api, body: &[u8]) -> io::Result<Answer<'_>> {
        self.requests += 1;
        let mut request = Vec::new();
        request.extend(api.key.to_be_bytes());
        request.extend(api.version.to_be_bytes());
        request.extend(self.requests.to_be_bytes());
        put_string(&mut request, "kimg");
        request.extend(body);
        let mut sent = Vec::new();
        put_count(&mut sent, request.len());
        sent.extend(request);
        self.stream.get_mut().write_all(&sent)?;
        let mut answer = Answer { stream: &mut self.stream, left: 4 };
        let size = answer.int32()?;
        answer.left = usize::try_from(size).ok().filter(|size| *size <= LARGEST).ok_or_else(strange)?;
        match answer.int32()? == self.requests {
            true => Ok(answer),
            false => Err(strange()),
        }
    }
}

/// The fields of an answer, read as they come.
struct Answer<'a> {
    stream: &'a mut BufReader<TimedStream>,
    left: usize,
}

impl Answer<'_> {
    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.take(N)?;
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn take(&mut self, size: usize) -> io::Result<()> {
        self.left = self.left.checked_sub(size).ok_or_else(strange)?;
        Ok(())
    }

    fn int16(&mut self) -> io::Result<i16> {
        Ok(i16::from_be_bytes(self.bytes()?))
    }

    fn int32(&mut self) -> io::Result<i32> {
        Ok(i32::from_be_bytes(self.bytes()?))
    }

    /// The number of what follows; an absent list is empty.
    fn count(&mut self) -> io::Result<usize> {
        Ok(usize::try_from(self.int32()?).unwrap_or(0))
    }

    /// A text; an absent one is empty.
    fn string(&mut self) -> io::Result<String> {
        let size = usize::try_from(self.int16()?).unwrap_or(0);
        self.take(size)?;
        let mut bytes = vec![0; size];
        self.stream.read_exact(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn numbers(&mut self, into: &mut Vec<i32>) -> io::Result<()> {
        into.clear();
        for _ in 0..self.count()? {
            into.push(self.int32()?);
        }
        Ok(())
    }

    fn skip(&mut self, size: usize) -> io::Result<()> {
        self.take(size)?;
        let skipped = io::copy(&mut self.stream.by_ref().take(size as u64), &mut io::sink())?;
        match skipped == size as u64 {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        self.skip(self.left)
    }
}

fn put_count(body: &mut Vec<u8>, count: usize) {
    body.extend(i32::try_from(count).unwrap_or(i32::MAX).to_be_bytes());
}

/// Texts longer than Kafka takes are cut; nothing that is sent here is near that.
fn put_string(body: &mut Vec<u8>, text: &str) {
    let size = i16::try_from(text.len()).unwrap_or(i16::MAX);
    body.extend(size.to_be_bytes());
    body.extend(text.bytes().take(usize::from(size.unsigned_abs())));
}

fn strange() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what answers there is no broker of Kafka")
}
