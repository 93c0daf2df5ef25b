//! `dalsegno hermes …`: sessions that are one JSON file each, with a backup beside it. No store is needed.

use clap::Subcommand;
use dalsegno::ErrorKind;
use dalsegno_hermes::{Count, Recovery, Source, Status, Unreadable};

use crate::failure::{Failure, Result};
use crate::human;
use crate::output::Out;

mod generations;
mod inspect;
mod recover;
mod recover_all;

/// Look after chat sessions that are one JSON file each
///
/// A session is a file SID.json with a list `messages`; SID.json.bak is a backup of it from before messages
/// went, and SID.json.kept-TIME are further ones. These commands need no store.
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Hermes {
    Inspect(inspect::Inspect),
    Recover(recover::Recover),
    RecoverAll(recover_all::RecoverAll),
    Generations(generations::Generations),
}

impl Hermes {
    pub(crate) fn run(&self, out: &mut Out) -> Result<()> {
        match self {
            Self::Inspect(inspect) => inspect.run(out),
            Self::Recover(recover) => recover.run(out),
            Self::RecoverAll(recover_all) => recover_all.run(out),
            Self::Generations(generations) => generations.run(out),
        }
    }
}

/// Whether there is neither a file nor a backup.
fn is_nothing(status: &Status) -> bool {
    let missing = Count::Unreadable(Unreadable::Missing);
    status.live_messages == missing && status.bak_messages == missing
}

/// Says so, when the others have been seen to.
fn nothing_there(path: &std::path::Path) -> Failure {
    let message = format!(
        "there is no session at {}, and no backup of one",
        path.display()
    );
    Failure::new(ErrorKind::NotFound, message)
}

/// What became of a session, for people.
fn describe(recovery: &Recovery) -> String {
    let status = &recovery.status;
    let mut text = format!("{}: ", human::safe(&status.session_id));
    if let Some(error) = &recovery.error {
        text.push_str(&format!(
            "not restored: {}",
            human::safe(&error.to_string())
        ));
        return text;
    }
    if let Some(reason) = &recovery.reason {
        text.push_str(&format!("nothing to do: {}", human::safe(reason)));
        return text;
    }
    match (recovery.from.is_some(), status.bak_messages) {
        (true, _) => text.push_str(&restored(recovery)),
        (false, Count::Unreadable(Unreadable::Missing)) => text.push_str("there is no backup"),
        (false, bak) => text.push_str(&format!(
            "nothing to do: {}, backup {}",
            messages(status.live_messages),
            messages(bak)
        )),
    }
    if let Some(kept) = &recovery.displaced {
        let kept = human::safe(&kept.display().to_string());
        text.push_str(&format!("\n  what stood there is kept as {kept}"));
    }
    text
}

/// From what a session was restored, or would be.
fn restored(recovery: &Recovery) -> String {
    let done = match recovery.restored {
        true => "restored",
        false => "would be restored",
    };
    let live = messages(recovery.status.live_messages);
    match &recovery.from {
        Some(Source::Merge { messages: count }) => format!(
            "{done}, with all that is newer: {}, instead of {live}",
            messages(*count)
        ),
        Some(Source::Copy {
            path,
            messages: count,
        }) if path.extension().is_none_or(|it| it != "bak") => {
            let path = human::safe(&path.display().to_string());
            format!(
                "{done} from {path}: {}, instead of {live}",
                messages(*count)
            )
        }
        _ => format!(
            "{done} from the backup: {}, instead of {live}",
            messages(recovery.status.bak_messages)
        ),
    }
}

fn messages(count: Count) -> String {
    match count {
        Count::Messages(count) => human::count(count, "message"),
        Count::Unreadable(why) => format!("unreadable ({why})"),
    }
}
