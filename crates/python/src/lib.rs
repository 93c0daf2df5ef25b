//! The engine for Python: handles that survive forks, answers as dicts, errors as exceptions.
//!
//! What people call is written in Python, in `python/dalsegno/`; this is what it stands on. Work is done
//! without the interpreter's lock.

mod attend;
mod bell;
mod error;
mod fork;
mod given;
mod handle;
mod hermes;
mod migration;
mod place;
mod saver;
mod scrub;
mod show;
mod sonora;
mod states;
mod text;
mod ticket;
mod verb;
mod watched;

use pyo3::prelude::*;

#[pymodule]
mod _dalsegno {
    #[pymodule_export]
    use super::attend::Attending;
    #[pymodule_export]
    use super::fork::{after_fork_in_child, after_fork_in_parent, before_fork, close_all};
    #[pymodule_export]
    use super::given::seconds;
    #[pymodule_export]
    use super::handle::Handle;
    #[pymodule_export]
    use super::hermes::{
        hermes_count, hermes_delete, hermes_generations, hermes_inspect, hermes_recover,
        hermes_recover_all, hermes_save, hermes_update,
    };
    #[pymodule_export]
    use super::saver::Saver;
    #[pymodule_export]
    use super::scrub::Scrubbing;
    #[pymodule_export]
    use super::sonora::{
        SonoraCore, SonoraFile, SonoraFolder, SonoraPlayer, sonora_decrypt, sonora_encrypt,
        sonora_leave, sonora_read, sonora_write,
    };
    #[pymodule_export]
    use super::states::{State, States, exact_json};
    #[pymodule_export]
    use super::text::{Text, dumps};
    #[pymodule_export]
    use super::ticket::Ticket;
    #[pymodule_export]
    use super::verb::backup::{drill, list_backups, restore_backup, verify_backup};
    #[pymodule_export]
    use super::verb::event::{Follower, Subscription};
    #[pymodule_export]
    use super::verb::key::{decrypt, encrypt, generate_key};
    #[pymodule_export]
    use super::verb::read::pretty;
    #[pymodule_export]
    use super::verb::repair::rebuild;

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const version: &str = env!("CARGO_PKG_VERSION");
}
