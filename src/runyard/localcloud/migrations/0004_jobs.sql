-- Jobs as Cloud Run keeps them: with annotations, deleted ones for a while, and a fence, by which a
-- later change is known from an earlier one that comes late.

ALTER TABLE job ADD COLUMN annotations_json TEXT NOT NULL DEFAULT '{}';
ALTER TABLE job ADD COLUMN fence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN deleted_at BIGINT;
