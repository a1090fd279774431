//! Where boxes and arrows go: a layered layout after Sugiyama, Tagawa and Toda (1981), from top to bottom.
//!
//! Boxes stand below all they depend on; long arrows take a place of their own in each layer that they cross; the order within
//! layers is improved by barycentres; then boxes move as near to their neighbours as order and gaps allow, which is isotonic
//! regression. Parts that do not hang together are laid out by themselves and set side by side. Deterministic.

/// Between layers.
const LAYER_GAP: f64 = 34.0;
/// Between boxes of a layer.
const BOX_GAP: f64 = 22.0;
/// Around a place that only an arrow passes.
const PASS_GAP: f64 = 10.0;
/// Between parts that do not hang together.
const PART_GAP: f64 = 36.0;
/// Sweeps that improve the order, and the positions (guess: more changes little).
const SWEEPS: usize = 24;
/// Places that long arrows may take in all; those of the rest run straight.
const PASSES_MAX: usize = 20_000;
/// Width by height that parts are set to.
const ASPECT: f64 = 1.6;

/// A point.
pub(super) type Point = (f64, f64);

/// Where everything is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layout {
    /// The middle of each box.
    pub(super) boxes: Vec<Point>,
    /// For each arrow, the points it goes through; vertical at each of them.
    pub(super) arrows: Vec<Vec<Point>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Lays out boxes of these sizes with arrows between them.
pub(super) fn layout(sizes: &[(f64, f64)], arrows: &[(usize, usize)]) -> Layout {
    let mut whole =
        Layout { boxes: vec![(0.0, 0.0); sizes.len()], arrows: vec![Vec::new(); arrows.len()], ..Layout::default() };
    let parts: Vec<Part> = parts(sizes.len(), arrows).into_iter().map(|part| part.laid_out(sizes, arrows)).collect();
    let area: f64 = parts.iter().map(|part| (part.width + PART_GAP) * (part.height + PART_GAP)).sum();
    let widest = parts.iter().map(|part| part.width).fold(0.0, f64::max);
    let row_width = widest.max((area * ASPECT).sqrt());
    let (mut x, mut y, mut row_height) = (0.0_f64, 0.0_f64, 0.0_f64);
    for part in &parts {
        if x > 0.0 && x + part.width > row_width {
            (x, y, row_height) = (0.0, y + row_height + PART_GAP, 0.0);
        }
        part.place(x, y, &mut whole);
        whole.width = whole.width.max(x + part.width);
        row_height = row_height.max(part.height);
        whole.height = whole.height.max(y + row_height);
        x += part.width + PART_GAP;
    }
    whole
}

/// Boxes that hang together.
#[derive(Debug, Default)]
struct Part {
    /// Boxes and arrows by their numbers in the whole.
    boxes: Vec<usize>,
    arrows: Vec<usize>,
    /// Where they are within the part.
    at: Vec<Point>,
    through: Vec<Vec<Point>>,
    width: f64,
    height: f64,
}

/// The connected parts, by their first box.
fn parts(boxes: usize, arrows: &[(usize, usize)]) -> Vec<Part> {
    let mut root: Vec<usize> = (0..boxes).collect();
    fn find(root: &mut [usize], mut of: usize) -> usize {
        while root[of] != of {
            root[of] = root[root[of]];
            of = root[of];
        }
        of
    }
    for (from, to) in arrows {
        let (a, b) = (find(&mut root, *from), find(&mut root, *to));
        root[a.max(b)] = a.min(b);
    }
    let mut parts: Vec<Part> = Vec::new();
    let mut number = vec![usize::MAX; boxes];
    for one in 0..boxes {
        let root = find(&mut root, one);
        if number[root] == usize::MAX {
            number[root] = parts.len();
            parts.push(Part::default());
        }
        number[one] = number[root];
        parts[number[one]].boxes.push(one);
    }
    for (arrow, (from, _)) in arrows.iter().enumerate() {
        parts[number[*from]].arrows.push(arrow);
    }
    parts
}

impl Part {
    fn laid_out(mut self, sizes: &[(f64, f64)], arrows: &[(usize, usize)]) -> Self {
        let here = |global: usize| self.boxes.binary_search(&global).expect("an arrow stays in its part");
        let own: Vec<(usize, usize)> =
            self.arrows.iter().map(|arrow| (here(arrows[*arrow].0), here(arrows[*arrow].1))).collect();
        let own_sizes: Vec<(f64, f64)> = self.boxes.iter().map(|one| sizes[*one]).collect();
        let mut layers = Layers::new(own_sizes, &own);
        layers.order();
        layers.position();
        (self.at, self.through) = layers.points(&own);
        let left = layers.left();
        self.at.iter_mut().chain(self.through.iter_mut().flatten()).for_each(|point| point.0 -= left);
        self.width = layers.right() - left;
        self.height = layers.tops.last().map_or(0.0, |top| top + layers.heights[layers.heights.len() - 1]);
        self
    }

    fn place(&self, x: f64, y: f64, whole: &mut Layout) {
        let moved = |point: &Point| (point.0 + x, point.1 + y);
        for (one, point) in self.boxes.iter().zip(&self.at) {
            whole.boxes[*one] = moved(point);
        }
        for (arrow, points) in self.arrows.iter().zip(&self.through) {
            whole.arrows[*arrow] = points.iter().map(moved).collect();
        }
    }
}

/// One part in layers. Its places are its boxes first, then those that long arrows pass.
#[derive(Debug)]
struct Layers {
    sizes: Vec<(f64, f64)>,
    boxes: usize,
    layer: Vec<usize>,
    /// From left to right.
    rows: Vec<Vec<usize>>,
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
    /// The places that each arrow goes through, its ends included; empty for one that goes up or stays in its layer.
    paths: Vec<Vec<usize>>,
    x: Vec<f64>,
    tops: Vec<f64>,
    heights: Vec<f64>,
}

impl Layers {
    fn new(sizes: Vec<(f64, f64)>, arrows: &[(usize, usize)]) -> Self {
        let boxes = sizes.len();
        let layer = depths(boxes, arrows);
        let mut layers = Self {
            boxes,
            rows: vec![Vec::new(); layer.iter().max().map_or(0, |deepest| deepest + 1)],
            above: vec![Vec::new(); boxes],
            below: vec![Vec::new(); boxes],
            paths: Vec::new(),
            x: Vec::new(),
            tops: Vec::new(),
            heights: Vec::new(),
            layer,
            sizes,
        };
        for (from, to) in arrows {
            let path = layers.path(*from, *to);
            layers.paths.push(path);
        }
        layers.first_order();
        layers.heights = vec![0.0; layers.rows.len()];
        for one in 0..boxes {
            let height = &mut layers.heights[layers.layer[one]];
            *height = height.max(layers.sizes[one].1);
        }
        let mut top = 0.0;
        for height in &layers.heights {
            layers.tops.push(top);
            top += height + LAYER_GAP;
        }
        layers
    }

    /// The places from one box down to another, made where they are missing.
    fn path(&mut self, from: usize, to: usize) -> Vec<usize> {
        if self.layer[from] >= self.layer[to] {
            return Vec::new();
        }
        let mut path = vec![from];
        let passes = self.sizes.len() - self.boxes;
        if passes < PASSES_MAX {
            for layer in self.layer[from] + 1..self.layer[to] {
                self.sizes.push((0.0, 0.0));
                self.layer.push(layer);
                self.above.push(Vec::new());
                self.below.push(Vec::new());
                path.push(self.sizes.len() - 1);
            }
        }
        path.push(to);
        for pair in path.windows(2) {
            if self.layer[pair[1]] == self.layer[pair[0]] + 1 {
                self.below[pair[0]].push(pair[1]);
                self.above[pair[1]].push(pair[0]);
            }
        }
        path
    }

    /// Depth first from the top, so that what hangs together starts side by side.
    fn first_order(&mut self) {
        let mut seen = vec![false; self.sizes.len()];
        let mut starts: Vec<usize> = (0..self.sizes.len()).collect();
        starts.sort_by_key(|place| self.layer[*place]);
        for start in starts {
            let mut open = vec![start];
            while let Some(place) = open.pop() {
                if std::mem::replace(&mut seen[place], true) {
                    continue;
                }
                self.rows[self.layer[place]].push(place);
                open.extend(self.below[place].iter().rev());
            }
        }
    }

    // ---- order ----

    /// Reorders rows by the barycentres of neighbours, down and up in turn, and keeps the order with the fewest crossings.
    fn order(&mut self) {
        let mut best = (self.crossings(), self.rows.clone());
        for sweep in 0..SWEEPS {
            if best.0 == 0 {
                break;
            }
            let down = sweep % 2 == 0;
            let rows: Vec<usize> = if down {
                (1..self.rows.len()).collect()
            } else {
                (0..self.rows.len().saturating_sub(1)).rev().collect()
            };
            for row in rows {
                self.reorder(row, down);
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.rows.clone());
            }
        }
        self.rows = best.1;
    }

    fn reorder(&mut self, row: usize, down: bool) {
        let other = if down { row - 1 } else { row + 1 };
        let rank = self.ranks(other);
        let neighbours = if down { &self.above } else { &self.below };
        let keyed = self.rows[row].iter().enumerate().map(|(at, place)| {
            let near = &neighbours[*place];
            // What has no neighbours stays about where it is.
            let key = match near.len() {
                0 => at as f64,
                n => near.iter().map(|other| rank[*other] as f64).sum::<f64>() / n as f64,
            };
            (key, *place)
        });
        let mut keyed: Vec<(f64, usize)> = keyed.collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.rows[row] = keyed.into_iter().map(|(_, place)| place).collect();
    }

    /// Positions in a row by place.
    fn ranks(&self, row: usize) -> Vec<usize> {
        let mut rank = vec![0; self.sizes.len()];
        for (at, place) in self.rows[row].iter().enumerate() {
            rank[*place] = at;
        }
        rank
    }

    fn crossings(&self) -> usize {
        let mut crossings = 0;
        for row in 1..self.rows.len() {
            let rank = self.ranks(row - 1);
            let mut ends: Vec<usize> = Vec::new();
            for place in &self.rows[row] {
                let mut sources: Vec<usize> = self.above[*place].iter().map(|from| rank[*from]).collect();
                sources.sort_unstable();
                ends.extend(sources);
            }
            crossings += inversions(&mut ends);
        }
        crossings
    }

    // ---- positions ----

    /// The least distance between the middles of two places side by side.
    fn apart(&self, left: usize, right: usize) -> f64 {
        let gap = if left < self.boxes && right < self.boxes { BOX_GAP } else { PASS_GAP };
        (self.sizes[left].0 + self.sizes[right].0) / 2.0 + gap
    }

    fn position(&mut self) {
        self.x = vec![0.0; self.sizes.len()];
        for row in &self.rows {
            let mut x = 0.0;
            for (at, place) in row.iter().enumerate() {
                x += if at == 0 { 0.0 } else { self.apart(row[at - 1], *place) };
                self.x[*place] = x;
            }
            let middle = x / 2.0;
            row.iter().for_each(|place| self.x[*place] -= middle);
        }
        // The last sweep goes down, so that chains hang straight from where they start.
        for sweep in 0..=SWEEPS {
            let down = sweep % 2 == 0;
            let rows = self.rows.len();
            for at in 0..rows {
                self.settle(if down { at } else { rows - 1 - at }, down);
            }
        }
    }

    /// Moves a row's places as near to the middle of their neighbours above, or below, as their order allows.
    fn settle(&mut self, row: usize, down: bool) {
        let places = self.rows[row].clone();
        let neighbours = if down { &self.above } else { &self.below };
        let mut offset = 0.0;
        let mut wanted = Vec::with_capacity(places.len());
        let mut offsets = Vec::with_capacity(places.len());
        for (at, place) in places.iter().enumerate() {
            offset += if at == 0 { 0.0 } else { self.apart(places[at - 1], *place) };
            offsets.push(offset);
            let near = &neighbours[*place];
            let sum: f64 = near.iter().map(|other| self.x[*other]).sum();
            // Places that arrows pass weigh more, so that long arrows run straight; what has no neighbours gives way.
            let (target, weight) = match near.len() {
                0 => (self.x[*place], 0.1),
                count => (sum / count as f64, if *place < self.boxes { count as f64 } else { 8.0 }),
            };
            wanted.push((target - offset, weight));
        }
        for ((place, offset), x) in places.iter().zip(offsets).zip(isotonic(&wanted)) {
            self.x[*place] = x + offset;
        }
    }

    fn left(&self) -> f64 {
        (0..self.sizes.len()).map(|place| self.x[place] - self.sizes[place].0 / 2.0).fold(f64::INFINITY, f64::min)
    }

    fn right(&self) -> f64 {
        (0..self.sizes.len()).map(|place| self.x[place] + self.sizes[place].0 / 2.0).fold(f64::NEG_INFINITY, f64::max)
    }

    // ---- points ----

    fn middle(&self, one: usize) -> f64 {
        let layer = self.layer[one];
        self.tops[layer] + self.heights[layer] / 2.0
    }

    /// The middles of boxes, and what arrows go through.
    fn points(&self, arrows: &[(usize, usize)]) -> (Vec<Point>, Vec<Vec<Point>>) {
        let boxes = (0..self.boxes).map(|one| (self.x[one], self.middle(one))).collect();
        let through = arrows.iter().zip(&self.paths).map(|((from, to), path)| {
            let bottom = |one: usize| (self.x[one], self.middle(one) + self.sizes[one].1 / 2.0);
            let top = |one: usize| (self.x[one], self.middle(one) - self.sizes[one].1 / 2.0);
            let mut points = vec![bottom(*from)];
            for pass in path.iter().filter(|place| **place >= self.boxes) {
                let layer = self.layer[*pass];
                points.push((self.x[*pass], self.tops[layer]));
                points.push((self.x[*pass], self.tops[layer] + self.heights[layer]));
            }
            points.push(top(*to));
            points
        });
        (boxes, through.collect())
    }
}

/// The layer of each box: below all that points at it, and what nothing points at just above what it points at. Arrows that
/// close a cycle are left out of account.
fn depths(boxes: usize, arrows: &[(usize, usize)]) -> Vec<usize> {
    let mut below = vec![Vec::new(); boxes];
    let mut waiting = vec![0_usize; boxes];
    for (from, to) in arrows {
        below[*from].push(*to);
        waiting[*to] += 1;
    }
    let is_source: Vec<bool> = waiting.iter().map(|n| *n == 0).collect();
    let mut depth = vec![0_usize; boxes];
    let mut ready: Vec<usize> = (0..boxes).filter(|one| waiting[*one] == 0).collect();
    let mut done = 0;
    let mut next_in_cycle = 0;
    while done < boxes {
        let Some(one) = ready.pop() else {
            // Only cycles are left: go on with the first box in one.
            while waiting[next_in_cycle] == 0 {
                next_in_cycle += 1;
            }
            waiting[next_in_cycle] = 0;
            ready.push(next_in_cycle);
            continue;
        };
        done += 1;
        for next in &below[one] {
            if waiting[*next] == 0 {
                continue;
            }
            depth[*next] = depth[*next].max(depth[one] + 1);
            waiting[*next] -= 1;
            if waiting[*next] == 0 {
                ready.push(*next);
            }
        }
    }
    for one in (0..boxes).filter(|one| is_source[*one]) {
        if let Some(nearest) = below[one].iter().map(|next| depth[*next]).min() {
            depth[one] = nearest.saturating_sub(1);
        }
    }
    depth
}

/// How many pairs are out of order; sorts.
fn inversions(items: &mut Vec<usize>) -> usize {
    if items.len() < 2 {
        return 0;
    }
    let mut right = items.split_off(items.len() / 2);
    let mut count = inversions(items) + inversions(&mut right);
    let left = std::mem::take(items);
    let (mut i, mut j) = (0, 0);
    while i < left.len() || j < right.len() {
        if j == right.len() || (i < left.len() && left[i] <= right[j]) {
            items.push(left[i]);
            i += 1;
        } else {
            count += left.len() - i;
            items.push(right[j]);
            j += 1;
        }
    }
    count
}

/// The ascending values nearest to the wanted ones by weighted squares: neighbours that are out of order share their mean.
fn isotonic(wanted: &[(f64, f64)]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (value, weight) in wanted {
        let mut pool = (*value, *weight, 1);
        while let Some(before) = pools.last().filter(|before| before.0 > pool.0) {
            let weight = before.1 + pool.1;
            pool = ((before.0 * before.1 + pool.0 * pool.1) / weight, weight, before.2 + pool.2);
            pools.pop();
        }
        pools.push(pool);
    }
    pools.into_iter().flat_map(|(value, _, count)| std::iter::repeat_n(value, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every arrow goes down, and no two boxes overlap.
    fn check(sizes: &[(f64, f64)], arrows: &[(usize, usize)]) -> Layout {
        let layout = layout(sizes, arrows);
        for (from, to) in arrows {
            assert!(layout.boxes[*from].1 < layout.boxes[*to].1, "{from} is above {to}");
        }
        for a in 0..sizes.len() {
            for b in a + 1..sizes.len() {
                let (dx, dy) = (layout.boxes[a].0 - layout.boxes[b].0, layout.boxes[a].1 - layout.boxes[b].1);
                let apart = dx.abs() + 0.01 >= (sizes[a].0 + sizes[b].0) / 2.0
                    || dy.abs() + 0.01 >= (sizes[a].1 + sizes[b].1) / 2.0;
                assert!(apart, "{a} and {b} overlap");
            }
        }
        for (one, (width, height)) in layout.boxes.iter().zip(sizes) {
            assert!(one.0 >= width / 2.0 - 0.01 && one.0 <= layout.width - width / 2.0 + 0.01);
            assert!(one.1 >= height / 2.0 - 0.01 && one.1 <= layout.height - height / 2.0 + 0.01);
        }
        layout
    }

    #[test]
    fn a_chain_is_straight() {
        let layout = check(&[(50.0, 20.0), (90.0, 30.0), (50.0, 20.0)], &[(0, 1), (1, 2)]);
        assert!(layout.boxes.iter().all(|point| (point.0 - layout.boxes[0].0).abs() < 0.01), "{layout:?}");
    }

    #[test]
    fn crossings_that_need_not_be_are_undone() {
        let layout = check(&[(40.0, 20.0); 4], &[(0, 3), (1, 2)]);
        // Two parts: nothing to cross.
        assert_eq!(layout.boxes[0].0, layout.boxes[3].0);
        let mut layers = Layers::new(vec![(40.0, 20.0); 5], &[(0, 4), (1, 3), (0, 2), (1, 2)]);
        layers.order();
        assert_eq!(layers.crossings(), 0);
    }

    #[test]
    fn a_hundred_boxes_do_not_overlap() {
        let sizes: Vec<(f64, f64)> =
            (0..100).map(|n| (40.0 + f64::from(n * 37 % 90), 20.0 + f64::from(n % 3) * 12.0)).collect();
        let arrows: Vec<(usize, usize)> =
            (1..100).flat_map(|n| [(n * 7 % n, n), (n / 2, n)]).filter(|(a, b)| a != b).collect();
        check(&sizes, &arrows);
    }

    #[test]
    fn parts_that_do_not_hang_together_fill_an_area() {
        let layout = check(&[(60.0, 30.0); 60], &[]);
        assert!(layout.width < 1200.0 && layout.height < 900.0, "{} x {}", layout.width, layout.height);
    }

    #[test]
    fn nothing_and_cycles_are_laid_out_too() {
        assert_eq!(layout(&[], &[]), Layout::default());
        let layout = layout(&[(10.0, 10.0); 3], &[(0, 1), (1, 2), (2, 0), (1, 1)]);
        assert!(layout.arrows.iter().all(|points| points.len() >= 2));
    }

    #[test]
    fn the_nearest_ascending_values_share_means() {
        assert_eq!(isotonic(&[(1.0, 1.0), (5.0, 1.0), (3.0, 1.0), (9.0, 1.0)]), [1.0, 4.0, 4.0, 9.0]);
        assert_eq!(isotonic(&[(4.0, 3.0), (0.0, 1.0)]), [3.0, 3.0]);
    }
}
