//! A node as a patch of an older one: which ops are kept, changed, inserted and dropped.
//!
//! Layout: the number of steps stands in the command; each step is a varint `count << 2 | kind`, followed by `count` ops where it
//! changes or inserts. What is left of the old node after the last step is kept.

use tresen_scene::{Node, Op};

use crate::bytes::put_varint;
use crate::encode::OpWriter;
use crate::ops::{CHANGE, DROP, INSERT, KEEP, Like, Seen, kind};

/// One step: a kind and how many ops.
pub(crate) type Step = (u64, usize);

/// The steps from `old` to `new`; `None` when sending `new` whole is likely to be shorter.
pub(crate) fn diff(old: &Node, new: &Node) -> Option<Vec<Step>> {
    let (old, new) = (old.ops(), new.ops());
    let same = |(a, b): &(&Op, &Op)| a.same(b);
    let front = old.iter().zip(new).take_while(same).count();
    let (old, new) = (&old[front..], &new[front..]);
    let back = old.iter().rev().zip(new.iter().rev()).take_while(same).count();
    let (old, new) = (&old[..old.len() - back], &new[..new.len() - back]);
    let mut steps = Vec::with_capacity(8);
    add(&mut steps, KEEP, front);
    for (a, b) in old.iter().zip(new) {
        if a.same(b) {
            add(&mut steps, KEEP, 1);
        } else if kind(a) == kind(b) {
            add(&mut steps, CHANGE, 1);
        } else {
            add(&mut steps, DROP, 1);
            add(&mut steps, INSERT, 1);
        }
    }
    add(&mut steps, DROP, old.len().saturating_sub(new.len()));
    add(&mut steps, INSERT, new.len().saturating_sub(old.len()));
    let total = |kind| steps.iter().filter(|step| step.0 == kind).map(|step| step.1).sum::<usize>();
    let worth = 2 * (total(KEEP) + back) + total(CHANGE) >= total(INSERT);
    if back == 0 && steps.last().is_some_and(|step| step.0 == KEEP) {
        steps.pop();
    }
    worth.then_some(steps)
}

fn add(steps: &mut Vec<Step>, kind: u64, count: usize) {
    match steps.last_mut() {
        _ if count == 0 => {}
        Some(last) if last.0 == kind => last.1 += count,
        _ => steps.push((kind, count)),
    }
}

/// Writes the steps with their ops.
pub(crate) fn put_steps(writer: &mut OpWriter<'_>, steps: &[Step], old: &Node, new: &Node) {
    let (mut from, mut to) = (0, 0);
    let mut seen = Seen::nothing();
    for &(kind_of_step, count) in steps {
        put_varint(writer.out, (count as u64) << 2 | kind_of_step);
        match kind_of_step {
            CHANGE => {
                for at in 0..count {
                    writer.op(&new.ops()[to + at], Like::replaced(&old.ops()[from + at]));
                }
            }
            INSERT => {
                for at in to..to + count {
                    let op = &new.ops()[at];
                    writer.op(op, seen.like(new.ops(), kind(op)));
                    seen.note(at, op);
                }
            }
            _ => {}
        }
        from += if kind_of_step == INSERT { 0 } else { count };
        to += if kind_of_step == DROP { 0 } else { count };
    }
}
