//! Promise: hostile bytes never crash anything. Each target for some hundred milliseconds of random bytes; a seed of the repeated ones is printed
//! when one fails.

use std::time::Duration;

use bolero::check;

const TIME: Duration = Duration::from_millis(600);
const LONGEST: usize = 600;

macro_rules! targets {
    ($($name:ident),*) => {$(
        #[test]
        fn $name() {
            check!().with_test_time(TIME).with_max_len(LONGEST).for_each(tresen_fuzz::$name);
        }
    )*};
}

targets!(
    to_server,
    to_client,
    frame,
    changed_frame,
    receiver,
    sender,
    pairing_code,
    licence,
    handshake,
    events,
    admission_token,
    control,
    datagram,
    exchange,
    knock_answer,
    probe
);
