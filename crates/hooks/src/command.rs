//! Running a command for an event: one line on its standard input, a limit on its time, and nothing of it
//! left when the limit is reached.

use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use dalsegno_config::{Action, Hook};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::outcome::Failure;
use crate::stop::Stop;

/// So much of what a command says on standard error is kept.
const HEARD: usize = 4 << 10;

/// How long standard error may stay open after the command ended, because something that it left running
/// still has it.
const LINGER: Duration = Duration::from_millis(200);

/// Tells a command, and what it runs, that it is run for an event.
pub(crate) const VARIABLE: &str = "DALSEGNO_HOOK";

/// Runs the command of `hook` with `line` on its standard input.
pub(crate) fn run(hook: &Hook, word: &str, line: Vec<u8>, stop: &Arc<Stop>) -> Result<(), Failure> {
    let failed = |e: io::Error| Failure::Other(format!("it could not be run: {e}"));
    let mut child = start(hook, word).map_err(failed)?;
    let group = Pid::from_child(&child);
    // From here on, whoever says stop kills it.
    let running = stop.running(group);
    if let Some(stdin) = child.stdin.take() {
        feed(stdin, line);
    }
    let heard = child.stderr.take().map(listen);
    let ended = ended(group);
    let timed_out = ended.recv_timeout(hook.timeout) == Err(RecvTimeoutError::Timeout);
    if timed_out {
        kill(group);
    }
    // It is not reaped before this, so that its number is its own until now.
    drop(running);
    let status = child.wait().map_err(failed)?;
    let stderr = heard.map(Heard::text).unwrap_or_default();
    outcome(hook, status, timed_out, stderr, stop)
}

/// Kills a command and what it started.
pub(crate) fn kill(group: Pid) {
    // Where nothing of it is left, there is nothing to do.
    let _gone = kill_process_group(group, Signal::KILL);
}

fn start(hook: &Hook, word: &str) -> io::Result<Child> {
    let (Action::Command(words), Some(program)) = (&hook.action, hook.program()) else {
        return Err(io::Error::other("the hook has no command"));
    };
    Command::new(program)
        .args(words.iter().skip(1))
        .current_dir(&hook.folder)
        .env(VARIABLE, word)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

/// Writes the event, beside everything else: a command that does not read holds up nothing but this.
fn feed(mut stdin: ChildStdin, line: Vec<u8>) {
    // A command need not read it.
    thread::spawn(move || drop(stdin.write_all(&line)));
}

/// Tells when the command has ended, without reaping it.
fn ended(group: Pid) -> Receiver<()> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(group), options), Err(Errno::INTR)) {}
        // Nobody listens any more where the time was over.
        let _unheard = tell.send(());
    });
    told
}

/// What a command says on standard error.
struct Heard {
    text: Arc<Mutex<Vec<u8>>>,
    ended: Receiver<()>,
}

fn listen(mut stderr: ChildStderr) -> Heard {
    let text = Arc::<Mutex<Vec<u8>>>::default();
    let (tell, ended) = mpsc::channel();
    let kept = Arc::clone(&text);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        // All of it is read, so that the command never waits for a reader.
        while let Ok(read @ 1..) = stderr.read(&mut buffer) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            let room = HEARD.saturating_sub(kept.len()).min(read);
            kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
        }
        let _unheard = tell.send(());
    });
    Heard { text, ended }
}

impl Heard {
    /// All of it, or what there is where something else keeps it open.
    fn text(self) -> String {
        let _open = self.ended.recv_timeout(LINGER);
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&text).trim_end().to_owned()
    }
}

fn outcome(
    hook: &Hook,
    status: ExitStatus,
    timed_out: bool,
    stderr: String,
    stop: &Stop,
) -> Result<(), Failure> {
    if timed_out {
        let after = hook.timeout;
        return Err(Failure::TimedOut { after, stderr });
    }
    if status.success() {
        return Ok(());
    }
    if status.signal() == Some(Signal::KILL.as_raw()) && stop.is_said() {
        return Err(Failure::Closed);
    }
    Err(Failure::Exit {
        code: status.code(),
        signal: status.signal(),
        stderr,
    })
}
