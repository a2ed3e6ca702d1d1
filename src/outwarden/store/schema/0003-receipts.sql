-- The name of a notice's receipts, which outlive the file: by its number alone, one of a store that was deleted or put
-- back from a copy would settle another notice.  Those that are there keep their number, as receipts of theirs may.
ALTER TABLE notice ADD COLUMN receipt TEXT NOT NULL DEFAULT '';
UPDATE notice SET receipt = id;
