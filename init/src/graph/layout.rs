//! Where boxes and lines go: in columns, from clients on the left to servers on the right.
//!
//! The layered method of Sugiyama, kept small. Lines that would close a circle are turned around. Each box gets a column
//! behind those of all its clients, and the text of each line a place in a column between boxes. A line that passes a
//! column has a place of its own there. So within a column nothing overlaps, since it is stacked, and between columns there
//! are only lines.

/// Between columns, where lines bend.
const GAP_X: f64 = 40.0;
/// Between what is stacked.
const GAP_Y: f64 = 16.0;
/// How often columns are sorted and moved by their neighbours.
const SWEEPS: usize = 8;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A line, and the size of its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) text: Size,
}

/// A rectangle: left, top, width and height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) size: Size,
}

impl Place {
    fn middle(&self) -> f64 {
        self.y + self.size.height / 2.0
    }
}

/// Where a line goes.
#[derive(Clone, Debug)]
pub(super) struct Path {
    /// Where its text is.
    pub(super) text: Place,
    /// The pieces between columns, and across those that it passes, from left to right.
    pub(super) pieces: Vec<[(f64, f64); 2]>,
    /// Whether it leads to the left.
    pub(super) backwards: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) size: Size,
    pub(super) boxes: Vec<Place>,
    pub(super) paths: Vec<Path>,
}

/// What stands in a column: a box, the text of a line, or a line that passes.
struct Item {
    column: usize,
    size: Size,
    before: Vec<usize>,
    after: Vec<usize>,
    /// The middle, from the top.
    y: f64,
}

/// Lays out boxes of these sizes, and lines between them.
pub(super) fn lay_out(boxes: &[Size], links: &[Link]) -> Layout {
    let turned = turned(boxes.len(), links);
    let ends = |link: usize| {
        let Link { from, to, .. } = links[link];
        if turned[link] { (to, from) } else { (from, to) }
    };
    let columns = columns(boxes.len(), (0..links.len()).map(ends).collect());
    let item = |column, size| Item { column, size, before: Vec::new(), after: Vec::new(), y: 0.0 };
    let mut items: Vec<Item> =
        boxes.iter().zip(&columns).map(|(size, column)| item(*column, *size)).collect();

    // The items of each line, from its left end to its right one; the second holds its text.
    let mut chains: Vec<Vec<usize>> = Vec::new();
    for (index, link) in links.iter().enumerate() {
        let (left, right) = ends(index);
        let mut chain = vec![left];
        for column in columns[left] + 1..columns[right] {
            let size = if chain.len() == 1 { link.text } else { Size::default() };
            items.push(item(column, size));
            chain.push(items.len() - 1);
        }
        chain.push(right);
        for pair in chain.windows(2) {
            items[pair[0]].after.push(pair[1]);
            items[pair[1]].before.push(pair[0]);
        }
        chains.push(chain);
    }

    let order = stack(&mut items);
    let widths: Vec<f64> = order
        .iter()
        .map(|column| column.iter().map(|item| items[*item].size.width).fold(0.0, f64::max))
        .collect();
    let lefts: Vec<f64> = widths
        .iter()
        .scan(0.0, |x, width| {
            let left = *x;
            *x += width + GAP_X;
            Some(left)
        })
        .collect();
    let place = |index: usize| {
        let Item { column, size, y, .. } = items[index];
        Place { x: lefts[column] + (widths[column] - size.width) / 2.0, y: y - size.height / 2.0, size }
    };
    let path = |(link, chain): (usize, &Vec<usize>)| Path {
        text: place(chain[1]),
        pieces: pieces(chain, &place, |item| (lefts[items[item].column], widths[items[item].column])),
        backwards: turned[link],
    };
    let bottom = items.iter().map(|item| item.y + item.size.height / 2.0).fold(0.0, f64::max);
    let right = lefts.iter().zip(&widths).map(|(left, width)| left + width).fold(0.0, f64::max);
    Layout {
        size: Size { width: right, height: bottom },
        boxes: (0..boxes.len()).map(place).collect(),
        paths: chains.iter().enumerate().map(path).collect(),
    }
}

/// Which lines lead back to where the way to them began.
fn turned(boxes: usize, links: &[Link]) -> Vec<bool> {
    let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); boxes];
    let mut entered = vec![false; boxes];
    for (index, link) in links.iter().enumerate() {
        leaving[link.from].push(index);
        entered[link.to] = true;
    }
    let mut turned = vec![false; links.len()];
    let (mut seen, mut on_the_way) = (vec![false; boxes], vec![false; boxes]);
    // Those whom nobody calls come first: the way begins with clients.
    let mut starts: Vec<usize> = (0..boxes).collect();
    starts.sort_by_key(|index| entered[*index]);
    for start in starts {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        on_the_way[start] = true;
        let mut way = vec![(start, 0)];
        while let Some((here, next)) = way.last_mut() {
            let Some(link) = leaving[*here].get(*next) else {
                on_the_way[*here] = false;
                way.pop();
                continue;
            };
            *next += 1;
            let to = links[*link].to;
            if on_the_way[to] {
                turned[*link] = true;
            } else if !std::mem::replace(&mut seen[to], true) {
                on_the_way[to] = true;
                way.push((to, 0));
            }
        }
    }
    turned
}

/// The column of each box: two behind the last of those that lead to it. There are no circles any more.
fn columns(boxes: usize, ends: Vec<(usize, usize)>) -> Vec<usize> {
    let mut columns = vec![0; boxes];
    let mut open = vec![0; boxes];
    let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); boxes];
    for (left, right) in ends {
        open[right] += 1;
        leaving[left].push(right);
    }
    let mut ready: Vec<usize> = (0..boxes).filter(|index| open[*index] == 0).collect();
    while let Some(left) = ready.pop() {
        for right in &leaving[left] {
            columns[*right] = columns[*right].max(columns[left] + 2);
            open[*right] -= 1;
            if open[*right] == 0 {
                ready.push(*right);
            }
        }
    }
    columns
}

/// Sorts each column by where its neighbours are, and places its items. The columns, from top to bottom.
fn stack(items: &mut [Item]) -> Vec<Vec<usize>> {
    let count = items.iter().map(|item| item.column + 1).max().unwrap_or(0);
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (index, item) in items.iter().enumerate() {
        order[item.column].push(index);
    }
    for column in &order {
        place(column, items, |_, _| None);
    }
    for sweep in 0..SWEEPS {
        let forwards = sweep % 2 == 0;
        for step in 0..count {
            let column = if forwards { step } else { count - 1 - step };
            let wanted = |index: usize, items: &[Item]| {
                let item = &items[index];
                let neighbours = if forwards { &item.before } else { &item.after };
                let sum: f64 = neighbours.iter().map(|other| items[*other].y).sum();
                (!neighbours.is_empty()).then(|| sum / neighbours.len() as f64)
            };
            let key = |index: &usize| wanted(*index, items).unwrap_or(items[*index].y);
            order[column].sort_by(|one, other| key(one).total_cmp(&key(other)));
            place(&order[column], items, wanted);
        }
    }
    let top = items.iter().map(|item| item.y - item.size.height / 2.0).fold(f64::INFINITY, f64::min);
    // Whole pixels: nothing comes nearer to its neighbour than a gap less one.
    items.iter_mut().for_each(|item| item.y = (item.y - top).round());
    order
}

/// Stacks a column with gaps, as near as possible to where its items want to be.
fn place(column: &[usize], items: &mut [Item], wanted: impl Fn(usize, &[Item]) -> Option<f64>) {
    let mut bottom = f64::NEG_INFINITY;
    let mut off = 0.0;
    for index in column {
        let half = items[*index].size.height / 2.0;
        let wish = wanted(*index, items).unwrap_or(items[*index].y);
        let y = wish.max(bottom + GAP_Y + half);
        off += y - wish;
        items[*index].y = y;
        bottom = y + half;
    }
    // Each gave way downwards only, so all of them go up by what that came to.
    let off = off / column.len().max(1) as f64;
    column.iter().for_each(|index| items[*index].y -= off);
}

/// The pieces of a line: from each item to the next, and across the columns that it only passes.
fn pieces(
    chain: &[usize],
    place: &impl Fn(usize) -> Place,
    column: impl Fn(usize) -> (f64, f64),
) -> Vec<[(f64, f64); 2]> {
    let mut pieces = Vec::new();
    let last = chain.len() - 1;
    // From the edge of what is there to the edge of its column, then to the next column, and on.
    for (index, item) in chain.iter().enumerate() {
        let (here, (left, width)) = (place(*item), column(*item));
        let y = here.middle();
        if index > 0 && here.x > left {
            pieces.push([(left, y), (here.x, y)]);
        }
        if index < last {
            let edge = here.x + here.size.width;
            if edge < left + width {
                pieces.push([(edge, y), (left + width, y)]);
            }
            let (next, (next_left, _)) = (place(chain[index + 1]), column(chain[index + 1]));
            pieces.push([(left + width, y), (next_left, next.middle())]);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn size() -> impl Strategy<Value = Size> {
        (10_u16..200, 10_u16..80)
            .prop_map(|(width, height)| Size { width: width.into(), height: height.into() })
    }

    /// Boxes, and lines between different ones.
    fn graph() -> impl Strategy<Value = (Vec<Size>, Vec<Link>)> {
        prop::collection::vec(size(), 2..12).prop_flat_map(|boxes| {
            let link = (0..boxes.len(), 1..boxes.len(), size());
            let count = boxes.len();
            let links = prop::collection::vec(link, 0..20).prop_map(move |links| {
                let link = |(from, step, text)| Link { from, to: (from + step) % count, text };
                links.into_iter().map(link).collect()
            });
            (Just(boxes), links)
        })
    }

    /// Whether two have more than an edge in common.
    fn overlap(one: &Place, other: &Place) -> bool {
        one.x < other.x + other.size.width
            && other.x < one.x + one.size.width
            && one.y < other.y + other.size.height
            && other.y < one.y + one.size.height
    }

    /// What a piece of a line, which bends within, may touch.
    fn around([(x, y), (to_x, to_y)]: [(f64, f64); 2]) -> Place {
        let size = Size { width: to_x - x, height: (to_y - y).abs().max(0.1) };
        Place { x, y: y.min(to_y), size }
    }

    proptest! {
        #[test]
        fn nothing_overlaps_and_lines_lead_from_box_to_box((boxes, links) in graph()) {
            let layout = lay_out(&boxes, &links);
            let texts: Vec<Place> = layout.paths.iter().map(|path| path.text).collect();
            let all: Vec<&Place> = layout.boxes.iter().chain(&texts).collect();
            for (index, one) in all.iter().enumerate() {
                for other in &all[..index] {
                    prop_assert!(!overlap(one, other), "{:?} {:?}", one, other);
                }
                prop_assert!(one.x >= 0.0 && one.x + one.size.width <= layout.size.width);
                prop_assert!(one.y >= -1.0 && one.y + one.size.height <= layout.size.height + 1.0);
            }
            for (link, path) in links.iter().zip(&layout.paths) {
                for piece in &path.pieces {
                    prop_assert!(piece[0].0 <= piece[1].0, "from left to right");
                    prop_assert!(all.iter().all(|place| !overlap(place, &around(*piece))), "{:?}", piece);
                }
                let (left, right) = if path.backwards { (link.to, link.from) } else { (link.from, link.to) };
                let (left, right) = (layout.boxes[left], layout.boxes[right]);
                let ends = (path.pieces[0][0], path.pieces[path.pieces.len() - 1][1]);
                prop_assert_eq!(ends, ((left.x + left.size.width, left.middle()), (right.x, right.middle())));
            }
        }

        /// Only as many lines lead to the left as circles want.
        #[test]
        fn without_circles_all_lines_lead_to_the_right((boxes, links) in graph()) {
            let links: Vec<Link> =
                links.into_iter().map(|link| Link { from: link.from.min(link.to), to: link.from.max(link.to), ..link }).collect();
            prop_assert!(lay_out(&boxes, &links).paths.iter().all(|path| !path.backwards));
        }
    }

    #[test]
    fn of_nothing_is_nothing() {
        let layout = lay_out(&[], &[]);
        assert_eq!((layout.size, layout.boxes.len()), (Size::default(), 0));
    }
}
