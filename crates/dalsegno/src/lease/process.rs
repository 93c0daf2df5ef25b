//! Which process this is, and whether another one is still there.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::clock::Clock;
use crate::codec::note::{Process, Writer};

impl Process {
    /// This one.
    pub(crate) fn this() -> Self {
        let pid = std::process::id();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id");
        Self {
            boot: boot.unwrap_or_default().trim().to_owned(),
            space: fs::metadata("/proc/self/ns/pid").map_or(0, |it| it.ino()),
            pid,
            started: stat(pid).map_or(0, |stat| stat.started),
        }
    }

    /// Whether it is running; nothing where that cannot be told from here.
    fn is_running(&self) -> Option<bool> {
        let here = Self::this();
        if self.boot.is_empty() || here.boot.is_empty() {
            return None;
        }
        if self.boot != here.boot {
            return Some(false);
        }
        // Seen from another namespace, the number is another process's. Without a start nothing is proved.
        if self.space != here.space || self.space == 0 || here.started == 0 {
            return None;
        }
        Some(stat(self.pid).is_some_and(|stat| stat.started == self.started && !stat.ended))
    }
}

impl Writer {
    /// Whether the program is still there: its process runs, as far as can be told, and it said so not longer
    /// ago than it promised. The wall clock has no say in it.
    pub(crate) fn is_alive(&self, clock: &dyn Clock) -> bool {
        if self.process.is_running() == Some(false) {
            return false;
        }
        let now = clock.uptime();
        // A time to come is one of an earlier run of the machine.
        self.beat <= now && now - self.beat <= self.ttl
    }
}

struct Stat {
    started: u64,
    /// It is a zombie: nothing of it runs any more.
    ended: bool,
}

/// What the system says of a process. The name of the program, in brackets, may contain anything.
fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after) = text.rsplit_once(')')?;
    let mut fields = after.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    // The 22nd of all, of which two stand before.
    let started = fields.nth(18)?.parse().ok()?;
    Some(Stat { started, ended })
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;
    use crate::clock::SystemClock;

    fn writer(process: Process) -> Writer {
        Writer {
            name: "test".into(),
            process,
            beat: SystemClock.uptime(),
            ttl: 60_000,
            since: 0,
            attends: false,
        }
    }

    #[test]
    fn a_process_is_there_until_it_ends() {
        let this = Process::this();
        assert!(writer(this.clone()).is_alive(&SystemClock));
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let started = stat(child.id()).unwrap().started;
        let other = Process {
            pid: child.id(),
            started,
            ..this.clone()
        };
        assert!(writer(other.clone()).is_alive(&SystemClock));
        child.kill().unwrap();
        // Until it is waited for, it is a zombie.
        while !stat(child.id()).unwrap().ended {
            std::thread::yield_now();
        }
        assert!(!writer(other.clone()).is_alive(&SystemClock));
        child.wait().unwrap();
        assert!(!writer(other).is_alive(&SystemClock));
        // Another process has its number now, or the machine was started anew.
        let again = Process {
            started: this.started + 1,
            ..this.clone()
        };
        assert!(!writer(again).is_alive(&SystemClock));
        let earlier = Process {
            boot: "another".into(),
            ..this
        };
        assert!(!writer(earlier).is_alive(&SystemClock));
    }

    #[test]
    fn where_the_process_cannot_be_seen_its_word_counts() {
        struct At(u64);
        impl Clock for At {
            fn now(&self) -> jiff::Timestamp {
                jiff::Timestamp::MAX
            }
            fn random(&self) -> [u8; 16] {
                [0; 16]
            }
            fn uptime(&self) -> u64 {
                self.0
            }
        }
        let this = Process::this();
        let spaces = [
            Process {
                space: this.space + 1,
                pid: 1,
                ..this.clone()
            },
            Process {
                boot: String::new(),
                ..this
            },
        ];
        for process in spaces {
            let writer = Writer {
                beat: 1_000,
                ttl: 500,
                ..writer(process)
            };
            let alive = [999, 1_000, 1_500, 1_501].map(|now| writer.is_alive(&At(now)));
            assert_eq!(alive, [false, true, true, false]);
        }
    }
}
