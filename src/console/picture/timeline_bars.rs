//! Pure: the marks of a timeline. Marks of one kind that are too thin to be told apart are merged, until there are few enough.

use chrono::{DateTime, Utc};

use super::lane::LaneItem;
use super::scale::TimeScale;
use super::shade::Shade;

/// The most marks of all lanes together: with about 220 bytes each, they stay below 200 KB.
const MOST_MARKS: usize = 700;

/// A mark: one item, or several.
#[derive(Clone, Debug)]
pub(super) struct Placed<'a> {
    pub(super) shade: Shade,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    pub(super) count: usize,
    /// The first item, and the only one unless there are several.
    pub(super) first: &'a LaneItem,
    is_thin: bool,
}

/// The marks of each lane, those to draw last at the end.
pub(super) fn place<'a>(
    lanes: impl Iterator<Item = &'a [LaneItem]> + Clone,
    scale: &TimeScale,
) -> Vec<Vec<Placed<'a>>> {
    let mut resolution = 1.0;
    loop {
        let placed: Vec<Vec<Placed<'a>>> = lanes.clone().map(|items| merged(items, scale, resolution)).collect();
        if resolution > scale.width || placed.iter().map(Vec::len).sum::<usize>() <= MOST_MARKS {
            return placed;
        }
        resolution *= 2.0;
    }
}

fn merged<'a>(items: &'a [LaneItem], scale: &TimeScale, resolution: f64) -> Vec<Placed<'a>> {
    let inside = items.iter().filter(|item| item.from < scale.until && item.until >= scale.from);
    let mut all: Vec<Placed<'a>> = inside
        .map(|item| {
            let (left, right) = (scale.x(item.from), scale.x(item.until));
            Placed {
                shade: item.shade,
                left,
                right,
                from: item.from,
                until: item.until,
                count: 1,
                first: item,
                is_thin: right - left < resolution,
            }
        })
        .collect();
    all.sort_by_key(|mark| (mark.shade, mark.from));
    let mut found: Vec<Placed<'a>> = Vec::new();
    for mark in all {
        match found.last_mut() {
            Some(last)
                if last.shade == mark.shade && last.is_thin && mark.is_thin && mark.left - last.right < resolution =>
            {
                last.right = last.right.max(mark.right);
                last.until = last.until.max(mark.until);
                last.count += 1;
            }
            _ => found.push(mark),
        }
    }
    found
}
