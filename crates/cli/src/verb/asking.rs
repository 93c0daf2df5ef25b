//! `--ask`: having the program that has the session open do what was asked for.

use std::time::Duration;

use clap::Args;
use dalsegno::{Answer, Engine, SnapshotId, parse_duration};
use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::human;
use crate::interrupt::Polite;
use crate::output::Out;
use crate::style;
use crate::verb::put::take_back;

/// The options of the verbs that a program can be asked for.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// If a program has the session open, ask it to do this, and wait for its answer
    #[arg(long)]
    pub(crate) ask: bool,
    /// With --ask: how long to wait for the answer
    #[arg(long, value_name = "DURATION", default_value = "60s", requires = "ask",
          value_parser = duration)]
    timeout: Duration,
}

impl Asking {
    /// Asks, and waits for the answer.
    pub(crate) fn send(
        &self,
        engine: &Engine,
        session: &str,
        verb: &str,
        arguments: Value,
        state: Option<Vec<u8>>,
    ) -> Result<Answer> {
        send(engine, session, verb, (arguments, state), self.timeout)
    }

    /// Asks for a restore, rollback, undo or redo, and says what came of it.
    pub(crate) fn put(
        &self,
        engine: &Engine,
        session: &str,
        verb: &str,
        arguments: Value,
        global: &Global,
        out: &mut Out,
    ) -> Result<()> {
        let answer = self.send(engine, session, verb, arguments, None)?;
        out.did();
        if out.is_json() {
            return out.json(&with_answer(&answer, true));
        }
        out.line(put_lines(&answer, session, verb, global).join("\n"))
    }
}

/// Asks, with arguments and a state, and waits for the answer. Ctrl-C withdraws the request.
pub(crate) fn send(
    engine: &Engine,
    session: &str,
    verb: &str,
    (arguments, state): (Value, Option<Vec<u8>>),
    timeout: Duration,
) -> Result<Answer> {
    let polite = Polite::begin();
    let mut ask = engine
        .ask(session, verb)
        .arguments(arguments)
        .timeout(timeout)
        .give_up_when(Polite::asked);
    if let Some(state) = state {
        ask = ask.state(state);
    }
    let answer = ask.send();
    let interrupted = Polite::asked();
    drop(polite);
    answer.map_err(|error| {
        if interrupted {
            Failure::given_up(&error)
        } else {
            error.into()
        }
    })
}

pub(crate) fn duration(text: &str) -> Result<Duration, dalsegno::Error> {
    parse_duration(text).map(|duration| duration.unsigned_abs())
}

/// The answer as it is without `--ask`, with who gave it.
pub(crate) fn with_answer(answer: &Answer, is_put: bool) -> Value {
    let mut all = answer.value.clone();
    if let Some(all) = all.as_object_mut() {
        if is_put {
            all.shift_insert(0, "dry_run".to_owned(), json!(false));
        }
        all.insert("by".to_owned(), json!(answer.by));
        all.insert("not_told".to_owned(), json!(answer.not_told));
    }
    all
}

/// Who did it, and whether it goes on with that.
pub(crate) fn by_whom(answer: &Answer, session: &str) -> Vec<String> {
    let session = human::safe(session);
    let Some(by) = &answer.by else {
        return vec![format!(
            "no program has {session} open: it was done here, without asking"
        )];
    };
    let mut lines = vec![format!(
        "done by {}, which was asked",
        human::safe(&by.to_string())
    )];
    match &answer.not_told {
        None => lines.push("it goes on with that state".to_owned()),
        Some(why) => lines.push(format!(
            "{}; what it saves next goes on top",
            human::safe(why)
        )),
    }
    lines
}

fn put_lines(answer: &Answer, session: &str, verb: &str, global: &Global) -> Vec<String> {
    let head = answer.value["head"]["id"].as_str();
    let head = head.and_then(|id| id.parse::<SnapshotId>().ok());
    let shown = human::safe(session);
    let mut lines = vec![match head {
        Some(id) => format!(
            "{}: the newest stored state of {shown} is now {}",
            style::good("done"),
            human::short(id)
        ),
        None => format!("the newest stored state of {shown} is that already"),
    }];
    lines.extend(by_whom(answer, session));
    if head.is_some() {
        let other_way = if verb == "undo" { "redo" } else { "undo" };
        let mut options = vec!["--ask"];
        options.retain(|_| answer.by.is_some());
        lines.push(take_back(other_way, &options, session, global));
    }
    lines
}
