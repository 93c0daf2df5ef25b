//! A command that prints the key: what it says is neither shown nor repeated.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use dalsegno::{ErrorKind, Secret};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};

/// So long it may take.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

/// No secret is longer.
const MOST: usize = 4096;

/// The first line that a shell prints for `line`, run in `folder`. It is killed, with all that it started, when the time
/// is over.
pub(super) fn secret(line: &str, folder: Option<&Path>, limit: Duration) -> Result<Secret> {
    let failed =
        |kind, what: &str| Failure::new(kind, format!("the key's command '{line}' {what}"));
    let broken = |e: io::Error| failed(ErrorKind::Storage, &format!("could not be run: {e}"));
    let until = Instant::now() + limit;
    let mut child = start(line, folder).map_err(broken)?;
    let group = Pid::from_child(&child);
    let said = child.stdout.take().map(first_line);
    let in_time = ended(group).recv_timeout(limit).is_ok();
    // What it left running may still hold its output.
    let left = until.saturating_duration_since(Instant::now());
    let said = said
        .filter(|_| in_time)
        .and_then(|said| said.recv_timeout(left).ok());
    if said.is_none() {
        // Where nothing of it is left, there is nothing to do.
        let _gone = kill_process_group(group, Signal::KILL);
    }
    let status = child.wait().map_err(broken)?;
    let Some(said) = said else {
        return Err(failed(
            ErrorKind::Storage,
            &format!("did not end within {} s, and was killed", limit.as_secs()),
        ));
    };
    if !status.success() {
        return Err(failed(ErrorKind::Storage, &format!("failed: {status}")));
    }
    let text = std::str::from_utf8(&said)
        .map_err(|_| failed(ErrorKind::InvalidInput, "printed what is not text"))?;
    if text.trim().is_empty() {
        return Err(failed(
            ErrorKind::InvalidInput,
            "printed nothing in its first line",
        ));
    }
    if said.len() > MOST {
        return Err(failed(ErrorKind::InvalidInput, "printed too long a line"));
    }
    let parsed = Secret::parse(text);
    parsed.map_err(|e| failed(ErrorKind::InvalidInput, &format!("printed no key: {e}")))
}

fn start(line: &str, folder: Option<&Path>) -> io::Result<Child> {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    // Standard input may be the state that is saved, and what it complains of may hold what it should not.
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command.process_group(0).spawn()
}

/// Hears the first line, and reads the rest, so that nobody waits for a reader.
fn first_line(stdout: ChildStdout) -> Receiver<Zeroizing<Vec<u8>>> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        // As large as it gets: what is moved leaves nothing behind.
        let mut line = Zeroizing::new(Vec::with_capacity(MOST + 1));
        let mut limited = stdout.take(MOST as u64 + 1);
        let mut byte = Zeroizing::new([0]);
        while matches!(limited.read(&mut *byte), Ok(1)) && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        // Nobody listens any more where the time was over.
        let _unheard = tell.send(line);
        let _rest = io::copy(&mut limited.into_inner(), &mut io::sink());
    });
    told
}

/// Tells when the command has ended, without reaping it: its number is its own until then.
fn ended(group: Pid) -> Receiver<()> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(group), options), Err(Errno::INTR)) {}
        let _unheard = tell.send(());
    });
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Secret> {
        secret(line, None, LIMIT)
    }

    #[test]
    fn the_first_line_is_the_secret() {
        let key = Secret::generate().unwrap().to_text().unwrap();
        let read = of(&format!("echo '{}'; echo more", *key)).unwrap();
        assert_eq!(*read.to_text().unwrap(), *key);
        // Without its end, and where more comes than anybody reads.
        assert!(of("printf 'correct horse'").is_ok());
        assert!(of("echo horse; head -c 1000000 /dev/zero").is_ok());
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("here"), "horse").unwrap();
        assert!(secret("cat here", Some(folder.path()), LIMIT).is_ok());
    }

    #[test]
    fn what_fails_is_named_and_what_it_printed_is_not() {
        for (line, said) in [
            (
                "read=horse; printf 'correct %s' $read; exit 3",
                "failed: exit status: 3",
            ),
            ("true", "printed nothing"),
            ("echo; echo horse", "printed nothing"),
            ("head -c 5000 /dev/zero | tr '\\0' x", "too long"),
            ("printf '\\377\\n'", "not text"),
            ("printf 'dalsegno-key-%s' abc", "printed no key"),
            ("no-such-program-here", "failed: exit status: 127"),
        ] {
            let error = of(line).unwrap_err();
            let message = error.message();
            assert!(
                message.contains(said) && message.contains(line),
                "{message}"
            );
            assert!(
                !message.contains("correct horse") && !message.contains("xxx"),
                "{message}"
            );
            assert!(!message.contains("key-abc"), "{message}");
        }
    }

    #[test]
    fn what_takes_too_long_is_killed_with_all_that_it_started() {
        for line in ["sleep 1000 & wait", "echo horse; sleep 1000"] {
            let error = secret(line, None, Duration::from_millis(50)).unwrap_err();
            assert!(
                error.message().contains("was killed"),
                "{}",
                error.message()
            );
        }
    }
}
