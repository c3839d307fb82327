//! A Docker daemon in the process of the test, on a unix socket or a port: it answers the few questions that kimg asks,
//! takes archives apart as `docker load` does, and fails as it is told.
#![allow(dead_code, unreachable_pub)]

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::archive::{Archive, DockerImage};
use crate::server::read_request;

/// What the daemon does with an archive instead of loading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is gone after so many bytes of the archive.
    DieAfter(usize),
    /// It answers with this status and message when it has read so many bytes, and looks at no more of them.
    Status(usize, u16, &'static str),
    /// It answers well, and tells of a failure in the answer.
    Says(&'static str),
    /// It says that it has loaded it.
    Lie,
    /// It reads nothing, and says nothing, for as long as the test runs.
    Hang,
    /// It forgets all layers, and so refuses an archive that leaves some out.
    Forget,
}

#[derive(Debug, Default)]
struct State {
    images: Vec<DockerImage>,
    faults: VecDeque<Fault>,
    /// Each archive that came: whole, or `None` where it was torn.
    loads: Vec<Option<Vec<DockerImage>>>,
    paths: Vec<String>,
    ping: Option<Vec<u8>>,
    /// What `docker save` gives of an image, and how many bytes of it come.
    saved: Option<(String, Vec<u8>, usize)>,
}

/// The daemon; it ends with the test.
#[derive(Debug, Clone, Default)]
pub struct Docker(Arc<Mutex<State>>, Arc<Condvar>);

impl Docker {
    /// At a unix socket.
    pub fn unix(path: &Path) -> Docker {
        let (docker, listener) = (Docker::default(), UnixListener::bind(path).unwrap());
        let own = docker.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let reader = BufReader::new(stream.try_clone().unwrap());
                own.converse(reader, stream);
            }
        });
        docker
    }

    /// At a port, and its `HOST:PORT`.
    pub fn tcp() -> (Docker, String) {
        let (docker, listener) = (Docker::default(), TcpListener::bind("127.0.0.1:0").unwrap());
        let (own, address) = (docker.clone(), listener.local_addr().unwrap().to_string());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let reader = BufReader::new(stream.try_clone().unwrap());
                own.converse(reader, stream);
            }
        });
        (docker, address)
    }

    /// What it does with the next archives.
    pub fn faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.0.lock().unwrap().faults = faults.into_iter().collect();
    }

    /// Answers every first question with these bytes.
    pub fn is_other(&self, answer: &[u8]) {
        self.0.lock().unwrap().ping = Some(answer.to_vec());
    }

    /// Has an image of that name, which is saved as these bytes; the connection breaks after so many.
    pub fn saves(&self, name: &str, archive: Vec<u8>, most: usize) {
        self.0.lock().unwrap().saved = Some((name.to_owned(), archive, most));
    }

    /// Takes the names off an image, as another that gets them does.
    pub fn untag(&self, name: &str) {
        self.0.lock().unwrap().images.iter_mut().for_each(|image| image.names.retain(|own| own != name));
    }

    /// The images that it has.
    pub fn images(&self) -> Vec<DockerImage> {
        self.0.lock().unwrap().images.clone()
    }

    /// The archives that came since this was asked last.
    pub fn loads(&self) -> Vec<Option<Vec<DockerImage>>> {
        std::mem::take(&mut self.0.lock().unwrap().loads)
    }

    /// Waits until a path is asked for.
    pub fn wait_for(&self, path: &str) {
        let absent = |state: &mut State| !state.paths.iter().any(|own| own == path);
        drop(self.1.wait_while(self.0.lock().unwrap(), absent).unwrap());
    }

    /// The paths that were asked for since this was asked last.
    pub fn paths(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().paths)
    }

    fn converse(&self, mut reader: impl BufRead, mut writer: impl Write) {
        // The client closes the connection, or is gone: the next one may come.
        while let Ok(Some(request)) = read_request(&mut reader) {
            let path = request.path.trim_start_matches("http://").to_owned();
            let path = path[path.find('/').unwrap_or(0)..].split('?').next().unwrap().to_owned();
            self.0.lock().unwrap().paths.push(path.clone());
            self.1.notify_all();
            let goes_on = match path.as_str() {
                "/images/load" => self.load(&mut reader, &mut writer),
                path if path.ends_with("/get") => self.save(&mut writer),
                path => {
                    let (status, body) = self.answer(path);
                    match self.0.lock().unwrap().ping.clone() {
                        Some(bytes) => writer.write_all(&bytes).map(|()| false),
                        None => whole(&mut writer, status, &body).map(|()| true),
                    }
                }
            };
            if !goes_on.unwrap_or(false) {
                return;
            }
        }
    }

    fn answer(&self, path: &str) -> (u16, String) {
        let json = |image: &DockerImage| {
            serde_json::json!({
                "Id": image.id, "RepoTags": image.names, "RootFS": { "Type": "layers", "Layers": image.diff_ids },
                "ParentId": "", "RepoDigests": [], "Created": 0, "Size": 0, "SharedSize": -1, "Labels": {}, "Containers": -1,
            })
        };
        let images = self.images();
        match path {
            "/_ping" => (200, "OK".to_owned()),
            // Like the daemon, without the layers.
            "/images/json" => {
                let mut all: Vec<_> = images.iter().map(json).collect();
                all.iter_mut().for_each(|image| drop(image.as_object_mut().unwrap().remove("RootFS")));
                (200, serde_json::json!(all).to_string())
            }
            path => {
                let name = path.trim_start_matches("/images/").trim_end_matches("/json").to_owned();
                if self.0.lock().unwrap().saved.as_ref().is_some_and(|(own, ..)| *own == name) {
                    return (200, "{}".to_owned());
                }
                match images.iter().find(|image| image.id == name || image.names.contains(&name)) {
                    // Here the time is text.
                    Some(image) => {
                        let mut json = json(image);
                        json["Created"] = "2026-01-02T03:04:05Z".into();
                        (200, json.to_string())
                    }
                    None => (404, format!(r#"{{"message":"No such image: {name}"}}"#)),
                }
            }
        }
    }

    fn save(&self, writer: &mut impl Write) -> io::Result<bool> {
        let (_, archive, most) = self.0.lock().unwrap().saved.clone().unwrap();
        let sent = &archive[..most.min(archive.len())];
        write!(
            writer,
            "HTTP/1.1 200 so\r\nContent-Type: application/x-tar\r\nContent-Length: {}\r\n\r\n",
            archive.len()
        )?;
        writer.write_all(sent)?;
        Ok(sent.len() == archive.len())
    }

    fn load(&self, reader: &mut impl BufRead, writer: &mut impl Write) -> io::Result<bool> {
        let fault = self.0.lock().unwrap().faults.pop_front();
        while fault == Some(Fault::Hang) {
            thread::park();
        }
        let limit = match fault {
            Some(Fault::DieAfter(count) | Fault::Status(count, ..)) => count,
            _ => usize::MAX,
        };
        let body = read_chunks(reader, limit);
        let images = body.as_ref().map(|body| Archive::read(body).docker_images());
        self.0.lock().unwrap().loads.push(images.clone());
        match fault {
            Some(Fault::DieAfter(_)) => return Ok(false),
            Some(Fault::Status(_, status, message)) => {
                whole(writer, status, message)?;
                // Go's server lingers too, so that the answer is read before the connection breaks.
                return match body {
                    Some(_) => Ok(true),
                    None => io::copy(reader, &mut io::sink()).map(|_| false),
                };
            }
            Some(Fault::Says(message)) => {
                let error = serde_json::json!({ "errorDetail": { "message": message }, "error": message });
                return whole(writer, 200, &format!("{error}\r\n")).map(|()| true);
            }
            Some(Fault::Lie) => return whole(writer, 200, "{\"stream\":\"Loaded image\"}\n").map(|()| true),
            Some(Fault::Forget) => self.0.lock().unwrap().images.clear(),
            Some(Fault::Hang) | None => {}
        }
        let Some(images) = images else { return Ok(false) };
        for image in images {
            if let Some(missing) = self.missing(&image) {
                let message = format!("open /tmp/docker-import/{missing}: no such file or directory");
                let error = serde_json::json!({ "errorDetail": { "message": message }, "error": message });
                return whole(writer, 200, &format!("{error}\r\n")).map(|()| true);
            }
            image.names.iter().for_each(|name| self.untag(name));
            self.0.lock().unwrap().images.push(image);
        }
        whole(writer, 200, "{\"stream\":\"Loaded image: x\\n\"}\r\n").map(|()| true)
    }

    /// The first layer that is neither in the archive nor, upon the same layers, in the daemon.
    fn missing(&self, image: &DockerImage) -> Option<String> {
        let images = self.images();
        image.diff_ids.iter().enumerate().find_map(|(at, id)| {
            let file = format!("{}.tar", id.strip_prefix("sha256:").unwrap());
            let below = &image.diff_ids[..=at];
            let there = image.there.contains(&file) || images.iter().any(|own| own.diff_ids.starts_with(below));
            (!there).then_some(file)
        })
    }
}

fn whole(writer: &mut impl Write, status: u16, body: &str) -> io::Result<()> {
    write!(writer, "HTTP/1.1 {status} so\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len())?;
    writer.write_all(body.as_bytes())
}

/// A chunked body (RFC 9112, 7.1); `None` where it has no end, or more than `limit` bytes.
fn read_chunks(reader: &mut impl BufRead, limit: usize) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let size = usize::from_str_radix(line.trim_end(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend(&chunk[..size]);
        if body.len() > limit {
            return None;
        }
    }
}
