//! Promises of control messages.

use proptest::prelude::*;

use super::*;

fn grant(own: usize, edge: usize) -> FromNode {
    let handles = |count: usize, first: u8| {
        (0..count).map(|number| Handle::from_bytes([first + number as u8; 8])).collect()
    };
    let grant = Grant {
        own_handles: handles(own, 0),
        edge_handles: handles(edge, 100),
        knock_secret: Secret::new([7; 32]),
        observed: ([203, 0, 113, 9], 4433).into(),
    };
    FromNode::Granted { grant: Box::new(grant), lifetime_s: 600, second_port: NonZeroU16::new(7845) }
}

/// Promise: the bytes of messages don't change unseen, and each is read back as it was said.
#[test]
fn messages_are_read_back() {
    let device = Fingerprint::from_bytes([4; 32]);
    let to_node = [
        (ToNode::Join(Secret::new([1; 32])), 33),
        (ToNode::Register(TenantId::from_bytes([2; 16])), 17),
        (ToNode::Admit(Box::new([3; TOKEN_BYTES])), 1 + TOKEN_BYTES),
        (ToNode::Call(EdgeName { tenant: TenantId::from_bytes([2; 16]), edge: device }), 49),
        (ToNode::Let(Box::new([3; TOKEN_BYTES])), 1 + TOKEN_BYTES),
        (ToNode::TurnAway(device), 33),
        (ToNode::Revoke { devices: vec![device; MAX_REVOKED], until_s: 9 }, 10 + 32 * MAX_REVOKED),
    ];
    for (kind, (message, length)) in (1..).zip(to_node) {
        let bytes = message.encode();
        assert_eq!((usize::from(u16::from_be_bytes([bytes[0], bytes[1]])), bytes[2]), (length, kind));
        assert_eq!(ToNode::decode(&bytes[2..]).expect("a message").encode(), bytes);
    }
    let from_node = [
        (FromNode::Joined(TenantId::from_bytes([2; 16])), 17),
        (grant(64, 64), MAX_CONTROL_BYTES),
        (FromNode::Refused, 1),
        (FromNode::Client(device, ([10, 0, 0, 1], 5).into()), 51),
        (FromNode::Leaving, 1),
        (FromNode::Call(device, ([10, 0, 0, 1], 5).into()), 51),
        (FromNode::Public(PublicPlace::new("tills.example", 443).expect("a domain")), 16),
    ];
    for (kind, (message, length)) in (1..).zip(from_node) {
        let bytes = message.encode();
        assert_eq!((usize::from(u16::from_be_bytes([bytes[0], bytes[1]])), bytes[2]), (length, kind));
        assert_eq!(FromNode::decode(&bytes[2..]).expect("a message").encode(), bytes);
    }
}

/// Promise: a message that was cut or goes on is refused, and so is one that is longer than any.
#[test]
fn other_lengths_are_refused() {
    let bytes = grant(3, 2).encode();
    for length in 0..bytes.len() - 2 {
        assert!(FromNode::decode(&bytes[2..2 + length]).is_err(), "{length}");
    }
    let longer = [&bytes[2..], &[0]].concat();
    assert_eq!(FromNode::decode(&longer).err(), Some(ControlError::Length));
    let mut buffer = ControlBuffer::default();
    buffer.push(&[0xff; 2]);
    assert_eq!(buffer.next(ToNode::decode).err(), Some(ControlError::TooLong));
    assert_eq!(ToNode::decode(&[9]).err(), Some(ControlError::Unknown(9)));
}

/// Promise: messages come out of a stream whole and in order, in whatever pieces it comes.
#[test]
fn a_stream_is_cut_into_messages() {
    let said = [grant(3, 2), FromNode::Leaving, grant(64, 64), FromNode::Refused].map(|each| each.encode());
    for piece in [1, 2, 7, 4096] {
        let (mut buffer, mut heard) = (ControlBuffer::default(), Vec::new());
        for bytes in said.concat().chunks(piece) {
            buffer.push(bytes);
            while let Some(message) = buffer.next(FromNode::decode).expect("a message") {
                heard.push(message.encode());
            }
        }
        assert!(heard == said, "in pieces of {piece}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1_500)) {
        if let Ok(message) = ToNode::decode(&bytes) {
            prop_assert_eq!(&message.encode()[2..], &bytes[..]);
        }
        let _ = FromNode::decode(&bytes);
    }
}
