//! The `sonoractl` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    dalsegno_cli::sonoractl()
}
