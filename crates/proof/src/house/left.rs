//! What a program leaves that ends in the middle of its work: leases, and requests that it took.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use dalsegno::clock::Clock;
use dalsegno::store::{NoteScan, SqliteOptions, SqliteStore, Store};
use dalsegno::{Attendant, Engine, Reply, Request, Result};
use dalsegno_faults::Disk;
use jiff::Timestamp;
use serde_json::Value;

use crate::{STORE, on, state};

/// The clock of a machine that was started a second ago: by any other, its programs are long gone.
struct Early(AtomicU8);

impl Clock for Early {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_790_500_000).unwrap()
    }

    fn random(&self) -> [u8; 16] {
        [self.0.fetch_add(1, Ordering::Relaxed); 16]
    }

    fn uptime(&self) -> u64 {
        1_000
    }
}

/// Says that it was asked, and answers when it may.
struct Slow(Sender<()>, Receiver<()>);

impl Attendant for Slow {
    fn asked(&mut self, _: &Request) -> Result<Reply> {
        self.0.send(()).unwrap();
        let _ = self.1.recv();
        Ok(Reply::Answer(Value::Null))
    }
}

fn notes(disk: &Disk, kind: i64) -> usize {
    let options = SqliteOptions {
        vfs: Some(disk.vfs_name().to_owned()),
        ..SqliteOptions::default()
    };
    let store = SqliteStore::open(STORE.as_ref(), &options).unwrap();
    let scan = NoteScan {
        kind,
        ..NoteScan::default()
    };
    let mut count = 0;
    let visit = &mut |_| {
        count += 1;
        std::ops::ControlFlow::Continue(())
    };
    store.view().unwrap().notes(&scan, visit).unwrap();
    count
}

/// Three sessions whose leases are held, broken and closed; a request that was taken, with its state, and one that
/// waits. `look` gets the store as it is then.
pub fn leave<T>(disk: &Disk, look: impl FnOnce() -> T) -> T {
    let clock = Arc::new(Early(AtomicU8::new(1)));
    let open = |name: &str| -> Engine {
        let options = on(disk).clock(Arc::clone(&clock) as _).program(name);
        options.open(STORE).unwrap()
    };
    let holder = Arc::new(open("holder"));
    for (n, session) in ["l/held", "l/broken", "l/closed"].into_iter().enumerate() {
        holder.open_session(session).unwrap();
        let text = state(n as u64, 3);
        holder.save_json(session, text).commit().unwrap();
    }
    holder.abandon("l/broken").unwrap();
    holder.close_session("l/closed").unwrap();
    let ((asked, is_asked), (go_on, may_go_on)) = (channel(), channel());
    let attending = holder.attend(Slow(asked, may_go_on)).unwrap();
    let askers = ["one", "two"].map(open);
    let given_up = AtomicBool::new(false);
    let ask = |asker: &Engine, verb: &str, text: Option<Vec<u8>>| {
        let mut ask = asker.ask("l/held", verb);
        if let Some(text) = text {
            ask = ask.state(text);
        }
        let ask = ask.give_up_when(|| given_up.load(Ordering::Relaxed));
        // It is given up in the end.
        drop(ask.send());
    };
    let found = std::thread::scope(|scope| {
        scope.spawn(|| ask(&askers[0], "save", Some(state(0, 4))));
        is_asked.recv().unwrap();
        scope.spawn(|| ask(&askers[1], "a verb of its own", None));
        while notes(disk, 5) < 2 {
            std::thread::yield_now();
        }
        let found = look();
        given_up.store(true, Ordering::Relaxed);
        drop(go_on);
        found
    });
    attending.stop();
    found
}
