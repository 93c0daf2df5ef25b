//! `dalsegno snapshot list`: what there is.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use dalsegno::{ErrorKind, Kind, Page, Query, Sort};
use jiff::Timestamp;
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::{human, program, settings, table, when};

/// List snapshots, the newest first
///
/// Times are local. STORED is what a snapshot took when it was saved; `unchanged` is a reference to
/// the state before; a pinned snapshot says so beside its KIND. Exit code 6 if some rows are damaged; the others are listed all the same.
///
/// With --deleted, what is in the trash, when it was deleted and until when it is kept: all of it, the
/// newest snapshot first. `undelete` takes a snapshot out.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot list
  dalsegno snapshot list bot/42 --since 24h --kind manual
  dalsegno snapshot list --tag boss --sort size --limit 10
  dalsegno snapshot list --since 2026-11-20 --until 2026-11-20T21:30 --json
  dalsegno snapshot list bot/42 --deleted")]
pub(crate) struct List {
    /// Only this session
    session: Option<String>,
    /// Taken at this time or later: 2026-11-20T21:30, or 24h or 7d for so long ago
    #[arg(long, value_name = "TIME", value_parser = when::parse, allow_hyphen_values = true)]
    since: Option<Timestamp>,
    /// Taken at this time or earlier
    #[arg(long, value_name = "TIME", value_parser = when::parse, allow_hyphen_values = true)]
    until: Option<Timestamp>,
    /// Of this kind; may be given several times
    #[arg(long = "kind", value_name = "KIND", value_parser = kinds())]
    kinds: Vec<Kind>,
    /// With this tag; given several times, with all of them
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Of this name
    #[arg(long)]
    name: Option<String>,
    /// The order
    #[arg(long, value_enum, default_value_t)]
    sort: Order,
    /// The other way round
    #[arg(long)]
    reverse: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Continue where the page before ended
    #[arg(long)]
    cursor: Option<String>,
    /// What is in the trash
    #[arg(long, conflicts_with_all = [
        "since", "until", "kinds", "tags", "name", "sort", "reverse", "limit", "cursor",
    ])]
    deleted: bool,
}

/// What to sort by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Order {
    /// As they were saved, newest first
    #[default]
    Commit,
    /// By the time they were taken, newest first
    Created,
    /// Largest first
    Size,
    /// A first, those without a name last
    Name,
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(Kind::as_str)).try_map(|text| text.parse::<Kind>())
}

impl List {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        if self.deleted {
            return self.trash(global, out);
        }
        let query = self.query()?;
        let page = Place::open(global)?.list(&query)?;
        if out.is_json() {
            out.json(&page)?;
        } else {
            self.show(&page, global, out)?;
        }
        if page.damaged.is_empty() {
            return Ok(());
        }
        let mut message = vec!["the rows of these snapshots are damaged:".to_owned()];
        message.extend(page.damaged.iter().map(|id| format!("  {id}")));
        message.push("run `dalsegno verify` to see what is lost".to_owned());
        Err(Failure::new(ErrorKind::Damaged, message.join("\n")))
    }

    fn trash(&self, global: &Global, out: &mut Out) -> Result<()> {
        let page = Place::open(global)?.trash_page(self.session.as_deref())?;
        let (mut trash, damage) = (page.trash, page.damage);
        trash.reverse();
        if out.is_json() {
            out.json(&json!({"trash": trash, "damage": damage}))?;
        } else if !trash.is_empty() {
            out.line(table::trash(&trash, Timestamp::now()))?;
        } else if damage.is_empty() {
            out.note("nothing is in the trash");
        }
        if damage.is_empty() {
            return Ok(());
        }
        let mut message = vec!["not all of the trash can be read:".to_owned()];
        message.extend(
            damage
                .iter()
                .map(|d| format!("  {}", human::safe(&d.message))),
        );
        message.push("run `dalsegno verify` to see what is lost".to_owned());
        Err(Failure::new(ErrorKind::Damaged, message.join("\n")))
    }

    fn query(&self) -> Result<Query> {
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since > until
        {
            return Err(Failure::usage(
                "--since is later than --until, so nothing can be between",
            ));
        }
        Ok(Query {
            session: self.session.clone(),
            since: self.since,
            until: self.until,
            kinds: self.kinds.clone(),
            tags: self.tags.clone(),
            name: self.name.clone(),
            sort: match self.sort {
                Order::Commit => Sort::Commit,
                Order::Created => Sort::Created,
                Order::Size => Sort::Size,
                Order::Name => Sort::Name,
            },
            reverse: self.reverse,
            limit: usize::try_from(self.limit).unwrap_or(usize::MAX),
            cursor: self.cursor.clone(),
        })
    }

    fn show(&self, page: &Page, global: &Global, out: &mut Out) -> Result<()> {
        if page.snapshots.is_empty() {
            out.note("no snapshots");
            return Ok(());
        }
        out.line(table::snapshots(&page.snapshots))?;
        if let Some(next) = &page.next {
            out.note(format!("there are more: {}", self.continued(next, global)));
        }
        Ok(())
    }

    /// The command that lists the next page.
    fn continued(&self, cursor: &str, global: &Global) -> String {
        let mut words = vec!["snapshot".to_owned(), "list".to_owned()];
        let mut option = |name: &str, value: &str| {
            if value.starts_with('-') {
                words.push(format!("--{name}={value}"));
            } else {
                words.extend([format!("--{name}"), value.to_owned()]);
            }
        };
        if let Some(store) = &global.store {
            option("store", &program::path(store));
        }
        for [name, file] in settings::opening_words() {
            option(name.trim_start_matches('-'), &file);
        }
        // Times are repeated as times: `24h` would mean another moment by then.
        for (name, time) in [("since", self.since), ("until", self.until)] {
            if let Some(time) = time {
                option(name, &time.to_string());
            }
        }
        self.kinds
            .iter()
            .for_each(|kind| option("kind", kind.as_str()));
        self.tags.iter().for_each(|tag| option("tag", tag));
        if let Some(name) = &self.name {
            option("name", name);
        }
        if let Some(order) = self
            .sort
            .to_possible_value()
            .filter(|_| self.sort != Order::default())
        {
            option("sort", order.get_name());
        }
        if self.limit != 50 {
            option("limit", &self.limit.to_string());
        }
        option("cursor", cursor);
        if self.reverse {
            words.push("--reverse".to_owned());
        }
        if let Some(session) = &self.session {
            if session.starts_with('-') {
                words.push("--".to_owned());
            }
            words.push(session.clone());
        }
        human::safe(&program::command(words))
    }
}
