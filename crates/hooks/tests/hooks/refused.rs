//! Addresses that nothing is posted to.

use dalsegno_hooks::Failure;

use crate::house::House;

#[test]
fn link_local_addresses_are_refused_however_they_are_written() {
    for host in [
        "169.254.169.254",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[fd00:ec2::254]",
        // The system's lookup reads these as addresses too.
        "2852039166",
        "0xa9fea9fe",
        "169.254.43518",
        "0251.0376.0251.0376",
    ] {
        let house = House::new();
        let started = house.start(&format!(
            "[[hook]]\nevents = ['*']\nwebhook = 'http://{host}/latest/meta-data'\n"
        ));
        started.send("e1");
        let outcome = started.outcome();
        let reason = "link-local addresses are refused".to_owned();
        assert_eq!(outcome.result, Err(Failure::Other(reason)), "{host}");
        assert_eq!(outcome.attempts, 1);
    }
}
