//! A web server on this machine that answers what it is told to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use serde_json::Value;

use crate::house::LONG;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Receiver<Request>,
}

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    /// By name, in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// An answer, with further headers.
pub(crate) fn answer(status: u16, headers: &str) -> String {
    format!("HTTP/1.1 {status} Said\r\ncontent-length: 0\r\nconnection: close\r\n{headers}\r\n")
}

impl Server {
    /// Gives these answers in turn, and the last one for ever. An empty one closes the connection.
    pub(crate) fn new(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, requests) = mpsc::channel();
        thread::spawn(move || {
            for (n, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let Some(request) = read(&stream) else {
                    continue;
                };
                let answer = answers.get(n).or(answers.last()).unwrap();
                let _gone = stream.write_all(answer.as_bytes());
                if tell.send(request).is_err() {
                    return;
                }
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// A hook that posts every event there.
    pub(crate) fn hook(&self) -> String {
        format!("[[hook]]\nevents = ['*']\nwebhook = '{}'\n", self.url())
    }

    #[track_caller]
    pub(crate) fn request(&self) -> Request {
        self.requests.recv_timeout(LONG).unwrap()
    }

    /// How many more requests came.
    pub(crate) fn further(&self) -> usize {
        self.requests.try_iter().count()
    }
}

impl Request {
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        &self.headers[name]
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Reads one request, over whatever it comes.
pub(crate) fn read(stream: impl Read) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let line = line.trim_end().to_owned();
    Some(Request {
        line,
        headers,
        body,
    })
}
