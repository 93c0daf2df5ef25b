//! `sonoractl` on a disk that is full, and stopped from the keyboard.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use dalsegno::{Attendant, Engine, Error, ErrorKind, Reply, Request};
use serde_json::json;

use crate::common::{House, Ran};
use crate::pipe::interrupt;
use crate::stage::refused;

fn sonoractl(house: &House, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoractl"));
    house.settle(&mut command);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn what_a_full_disk_left_of_a_restore_is_said() {
    let text: String = (0..40_000_u32)
        .map(|n| format!("{:08x}", n.wrapping_mul(2_654_435_761)))
        .collect();
    let state = json!({"queue": {"upcoming": [{"track": text}]}}).to_string();
    let (mut failed, mut done) = (0, 0);
    // No more than so many blocks are written of any file.
    for blocks in (0..4_000).step_by(40) {
        let house = House::new();
        house.save("sonora/17", &state);
        let ran = house.shell(&format!(
            "trap '' XFSZ; ulimit -f {blocks}; sonoractl snapshot restore sonora/17@latest --guild-id 60 --new"
        ));
        let there = house.contents().contains("sonora/60");
        if ran.code == Some(0) {
            assert!(there, "{ran}");
            done += 1;
            if done > 2 {
                break;
            }
            continue;
        }
        failed += 1;
        assert_ne!(ran.code, Some(3), "{ran}");
        assert!(!ran.err.contains("it is done"), "{ran}");
        if house.run(&["snapshot", "info", "sonora/60@latest"]).code == Some(0) {
            ran.explains("sonora/60 had no state, and has an empty one now");
        }
    }
    assert!(failed > 0 && done > 0, "{failed} failed, {done} done");
}

#[test]
fn an_interrupt_is_told_as_json_where_that_is_asked_for() {
    let house = House::empty();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut command = sonoractl(&house, &["health-check", "--json", "--port", &port]);
    let child = command.spawn().unwrap();
    // Once it asks, it waits for an answer.
    let _asked = listener.accept().unwrap();
    interrupt(child.id());
    let ran = Ran::of(child.wait_with_output().unwrap());
    let said = ("interrupted".to_owned(), "interrupted".to_owned());
    assert_eq!((ran.code, ran.error()), (Some(130), said), "{ran}");
}

/// A bot that says when it is asked, and answers once it is told to.
struct Slow(Sender<()>, Receiver<()>);

impl Attendant for Slow {
    fn asked(&mut self, _: &Request) -> dalsegno::Result<Reply> {
        self.0.send(()).unwrap();
        // Nobody is left to tell it where the test is over.
        let _over = self.1.recv();
        Err(Error::new(ErrorKind::Storage, "the disk is full"))
    }
}

#[test]
fn what_holds_for_many_guilds_is_said_once() {
    let house = House::new();
    let bot = Arc::new(Engine::open(house.store()).unwrap());
    for guild in 1..5 {
        bot.open_session(&format!("sonora/{guild}")).unwrap();
    }
    let (asked, is_asked) = channel();
    let (go_on, told) = channel();
    let attending = bot.attend(Slow(asked, told)).unwrap();
    let save = ["snapshot", "save", "--name", "party"];
    let child = sonoractl(&house, &save).spawn().unwrap();
    for _ in 0..4 {
        is_asked.recv().unwrap();
        go_on.send(()).unwrap();
    }
    let ran = Ran::of(child.wait_with_output().unwrap());
    refused(&ran, 1, "guilds 1, 2, 3, 4 were not saved as asked: ");
    assert_eq!(ran.err.matches("the disk is full").count(), 1, "{ran}");
    // Who stops it means all of it.
    let child = sonoractl(&house, &save).spawn().unwrap();
    is_asked.recv().unwrap();
    interrupt(child.id());
    let ran = Ran::of(child.wait_with_output().unwrap());
    refused(&ran, 130, "guild 1 was not saved as asked: ");
    ran.explains("`dalsegno log sonora/1` and `dalsegno snapshot list sonora/1` show")
        .explains("guilds 2, 3, 4 were not saved as asked: interrupted");
    drop(go_on);
    attending.stop();
}
