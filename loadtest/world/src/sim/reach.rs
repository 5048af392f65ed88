//! What a person before a screen can do.

use tresen_scene::{Node, Op};
use tresen_wire::Input;

use crate::dice::Dice;

/// Everything that a person before `root` can do.
#[must_use]
pub fn possible(root: &Node, dice: &mut Dice) -> Vec<Input> {
    let mut found = Vec::new();
    collect(root, dice, &mut found);
    found
}

fn collect(node: &Node, dice: &mut Dice, found: &mut Vec<Input>) {
    for op in node.ops() {
        match op {
            Op::Touch(touch) if !touch.state.disabled => {
                found.push(Input::Tap(touch.action.clone()));
                found.extend(touch.hold.clone().map(Input::Hold));
            }
            Op::Scroll(scroll) => collect(&scroll.content, dice, found),
            Op::Field(field) => {
                let text = format!("note {}", dice.below(1_000)).into();
                found.push(Input::Text { action: field.action.clone(), text });
            }
            Op::Child { node, .. } | Op::Clip { node, .. } => collect(node, dice, found),
            _ => {}
        }
    }
}

/// Whether a person before `root` can do this.
#[must_use]
pub fn stands(input: &Input, root: &Node) -> bool {
    let same = |possible: &Input| match (possible, input) {
        (Input::Text { action, .. }, Input::Text { action: other, .. }) => action == other,
        (possible, input) => possible == input,
    };
    matches!(input, Input::Scan(_) | Input::Key(_)) || possible(root, &mut Dice::new(0)).iter().any(same)
}
