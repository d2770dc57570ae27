//! The sizes that cells come in.
//!
//! Small entries are the many, so up to 1024 bytes there is a class for every multiple of 8 and rounding wastes 7 bytes at
//! most. Above, a slab of 64 KiB is cut in k equal cells for each k from 63 down to 3: a cell is then never larger than
//! what one cell fewer per slab would give, and the end of a slab is never wasted by more than 8 bytes per cell.
//!
//! ```text
//! class     0   1   2  ...   127 | 128   129   130  ...    187    188
//! bytes     8  16  24  ...  1024 | 1040  1056  1072 ...  16384  21840
//! cells  8192 4096 2730 ...   64 |  63    62    61  ...      4      3
//! ```

use super::{SLAB_BYTES, UNIT_BYTES};

/// Number of classes: 128 in steps of 8 bytes, then one for each count of cells from 63 down to 3.
pub(super) const CLASSES: usize = 1024 / UNIT_BYTES + (63 - CELLS_MIN) + 1;

/// Cells of a slab of the largest class. Two would leave a class whose rounding wastes up to a third of the cell.
const CELLS_MIN: usize = 3;

/// Classes in steps of 8 bytes.
const FINE: usize = 1024 / UNIT_BYTES;

/// What a slab of one class looks like.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// Units of 8 bytes in a cell.
    pub(super) units: u16,
    /// Cells in a slab.
    pub(super) cells: u16,
}

impl Shape {
    pub(super) const fn bytes(self) -> usize {
        self.units as usize * UNIT_BYTES
    }
}

/// The shape of every class, smallest cells first.
pub(super) const SHAPES: [Shape; CLASSES] = shapes();

const fn shapes() -> [Shape; CLASSES] {
    let mut shapes = [Shape { units: 0, cells: 0 }; CLASSES];
    let mut class = 0;
    while class < CLASSES {
        let units = if class < FINE { class + 1 } else { SLAB_BYTES / UNIT_BYTES / (63 - (class - FINE)) };
        shapes[class] = Shape { units: units as u16, cells: (SLAB_BYTES / UNIT_BYTES / units) as u16 };
        class += 1;
    }
    shapes
}

/// Bytes of the largest cell.
pub(super) const CELL_BYTES_MAX: usize = SHAPES[CLASSES - 1].bytes();

/// The smallest class whose cells hold `bytes`; `None` if no class does.
#[inline]
pub(super) fn class_for(bytes: usize) -> Option<usize> {
    if bytes > CELL_BYTES_MAX {
        return None;
    }
    // A cell of no bytes is one unit, since two cells are never at one place.
    let units = bytes.div_ceil(UNIT_BYTES).max(1);
    if units <= FINE {
        return Some(units - 1);
    }
    // Cells of so many units go `cells` times into a slab, and the class of `cells` holds the largest that do.
    let cells = SLAB_BYTES / UNIT_BYTES / units;
    Some(FINE + 63 - cells)
}

const _: () = assert!(CLASSES < super::slabs::NO_CLASS as usize);
const _: () = assert!(SHAPES[FINE - 1].cells == 64 && SHAPES[FINE].cells == 63, "the two rows meet");
