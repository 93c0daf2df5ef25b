//! Running a command, for an event or a migration: what it is given on its standard input, a limit on its time, and
//! nothing of it left when the limit is reached.

use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use dalsegno::MAX_SIZE;
use dalsegno_config::{Action, Hook, Migration};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::outcome::Failure;
use crate::stop::Stop;

/// So much of what a command says on standard error is kept.
const HEARD: usize = 4 << 10;

/// So much of what a migration prints is kept: more than a state may have.
const PRINTED: usize = MAX_SIZE + 1;

/// How long standard error may stay open after the command ended, because something that it left running
/// still has it.
const LINGER: Duration = Duration::from_millis(200);

/// Tells a command, and what it runs, that it is run for an event.
pub(crate) const VARIABLE: &str = "DALSEGNO_HOOK";

/// Runs the command of `hook` with `line` on its standard input.
pub(crate) fn run(hook: &Hook, word: &str, line: Vec<u8>, stop: &Arc<Stop>) -> Result<(), Failure> {
    let (Action::Command(words), Some(program)) = (&hook.action, hook.program()) else {
        return Err(Failure::Other("the hook has no command".to_owned()));
    };
    let mut command = prepare(&program, words, &hook.folder);
    command.env(VARIABLE, word).stdout(Stdio::null());
    carry_out(command, line, hook.timeout, Some(stop)).map(drop)
}

/// Runs the command of a migration with a state on its standard input, and gives what it prints. When its time is over,
/// it is killed with all that it started.
///
/// # Errors
/// Where it cannot be run, ends otherwise than with exit code 0, or takes too long.
pub fn migrate(migration: &Migration, state: &[u8]) -> Result<Vec<u8>, Failure> {
    let program = migration.program();
    let program = program.ok_or_else(|| Failure::Other("it has no command".to_owned()))?;
    let mut command = prepare(&program, &migration.command, &migration.folder);
    command.stdout(Stdio::piped());
    carry_out(command, state.to_vec(), migration.timeout, None)
}

fn prepare(program: &Path, words: &[String], folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .args(words.iter().skip(1))
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    command
}

/// Runs a command with `input`, and gives what it prints, as far as that is listened to.
fn carry_out(
    mut command: Command,
    input: Vec<u8>,
    timeout: Duration,
    stop: Option<&Arc<Stop>>,
) -> Result<Vec<u8>, Failure> {
    let failed = |e: io::Error| Failure::Other(format!("it could not be run: {e}"));
    let begun = Instant::now();
    let mut child = command.spawn().map_err(failed)?;
    let group = Pid::from_child(&child);
    // From here on, whoever says stop kills it.
    let running = stop.map(|stop| stop.running(group));
    if let Some(stdin) = child.stdin.take() {
        feed(stdin, input);
    }
    let heard = child.stderr.take().map(|it| listen(it, HEARD));
    let printed = child.stdout.take().map(|it| listen(it, PRINTED));
    let ended = ended(group);
    let mut timed_out = ended.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout);
    if let Some(printed) = printed.as_ref().filter(|_| !timed_out) {
        // Something that it left running may still print.
        let left = timeout.saturating_sub(begun.elapsed()).max(LINGER);
        timed_out = printed.ended.recv_timeout(left) == Err(RecvTimeoutError::Timeout);
    }
    if timed_out {
        kill(group);
    }
    // It is not reaped before this, so that its number is its own until now.
    drop(running);
    let status = child.wait().map_err(failed)?;
    let stderr = heard.map(Heard::text).unwrap_or_default();
    let stopped = stop.is_some_and(|stop| stop.is_said());
    outcome(timeout, status, timed_out, stderr, stopped)?;
    Ok(printed.map(Heard::bytes).unwrap_or_default())
}

/// Kills a command and what it started.
pub(crate) fn kill(group: Pid) {
    // Where nothing of it is left, there is nothing to do.
    let _gone = kill_process_group(group, Signal::KILL);
}

/// Writes what it is given, beside everything else: a command that does not read holds up nothing but this.
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

/// What a command writes.
struct Heard {
    text: Arc<Mutex<Vec<u8>>>,
    ended: Receiver<()>,
}

/// Keeps as much of what is written as `most`.
fn listen(mut from: impl Read + Send + 'static, most: usize) -> Heard {
    let text = Arc::<Mutex<Vec<u8>>>::default();
    let (tell, ended) = mpsc::channel();
    let kept = Arc::clone(&text);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        // All of it is read, so that the command never waits for a reader.
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            let room = most.saturating_sub(kept.len()).min(read);
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

    /// What it wrote until now.
    fn bytes(self) -> Vec<u8> {
        std::mem::take(&mut self.text.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn outcome(
    after: Duration,
    status: ExitStatus,
    timed_out: bool,
    stderr: String,
    stopped: bool,
) -> Result<(), Failure> {
    if timed_out {
        return Err(Failure::TimedOut { after, stderr });
    }
    if status.success() {
        return Ok(());
    }
    if status.signal() == Some(Signal::KILL.as_raw()) && stopped {
        return Err(Failure::Closed);
    }
    Err(Failure::Exit {
        code: status.code(),
        signal: status.signal(),
        stderr,
    })
}
