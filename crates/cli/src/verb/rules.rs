//! The options that rules of retention are made of.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use dalsegno::retention::Rules;
use dalsegno::{Kind, parse_duration};
use jiff::SignedDuration;

use crate::failure::{Failure, Result};

#[derive(Debug, Args)]
#[command(next_help_heading = "Rules")]
pub(crate) struct RuleOptions {
    /// Delete only what was taken longer ago than this: 12h, 7d, 2 weeks
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    older_than: Option<SignedDuration>,
    /// Keep the newest so many states
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    keep_last: Option<u32>,
    /// Keep the last snapshot of each of the newest so many hours
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    keep_hourly: Option<u32>,
    /// Keep the last snapshot of each of the newest so many days
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    keep_daily: Option<u32>,
    /// Keep the last snapshot of each of the newest so many weeks
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    keep_weekly: Option<u32>,
    /// Keep the last snapshot of each of the newest so many months
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    keep_monthly: Option<u32>,
    /// Only snapshots of this kind; may be given several times. Guards only if named here
    #[arg(long = "kind", value_name = "KIND", value_parser = kinds())]
    kinds: Vec<Kind>,
    /// Only snapshots with this tag; given several times, with all of them
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// A session may lose even its newest state
    #[arg(long)]
    keep_nothing: bool,
}

impl RuleOptions {
    /// The rules, which make sense; nothing where no option was given.
    pub(crate) fn rules(&self) -> Result<Option<Rules>> {
        let mut rules = Rules::new();
        rules.older_than = self.older_than;
        rules.keep_last = self.keep_last;
        rules.keep_hourly = self.keep_hourly;
        rules.keep_daily = self.keep_daily;
        rules.keep_weekly = self.keep_weekly;
        rules.keep_monthly = self.keep_monthly;
        rules.kinds.clone_from(&self.kinds);
        rules.tags.clone_from(&self.tags);
        rules.keep_nothing = self.keep_nothing;
        if rules == Rules::new() {
            return Ok(None);
        }
        rules.check().map_err(|error| {
            let message = OPTIONS
                .iter()
                .fold(error.to_string(), |message, (rule, option)| {
                    message.replace(rule, option)
                });
            Failure::new(error.kind(), message)
        })?;
        Ok(Some(rules))
    }
}

/// What the library calls the rules, and how users type them.
const OPTIONS: [(&str, &str); 9] = [
    ("older_than", "--older-than"),
    ("keep_last", "--keep-last"),
    ("keep_hourly", "--keep-hourly"),
    ("keep_daily", "--keep-daily"),
    ("keep_weekly", "--keep-weekly"),
    ("keep_monthly", "--keep-monthly"),
    ("keep_nothing", "--keep-nothing"),
    ("kinds", "--kind"),
    ("tags", "--tag"),
];

/// For clap.
pub(crate) fn duration(text: &str) -> std::result::Result<SignedDuration, String> {
    parse_duration(text).map_err(|e| e.to_string())
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(Kind::as_str)).try_map(|text| text.parse::<Kind>())
}
