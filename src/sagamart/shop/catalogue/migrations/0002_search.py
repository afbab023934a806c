"""Search that ranks, understands operators, and knows the words that products are described with."""

from alembic import op

revision = "0002_search"
down_revision = "0001_start"

VOCABULARY = """
    with fresh as (
        insert into search_words (word)
        select word from (
            select distinct unnest(tsvector_to_array(to_tsvector('simple', one_spelling(title || ' ' || description))))
            from {source}
        ) as met (word)
        where word ~ '^[[:alpha:]]{{4,40}}$' and not exists (select from search_words known where known.word = met.word)
        order by word
        on conflict do nothing
        returning word
    )
    insert into search_trigrams (trigram, word)
    select trigram, word from fresh, trigrams(fresh.word) as trigram order by trigram, word
"""


def upgrade() -> None:
    """Weighed words of a product, indexes to sort by, and the vocabulary that mends typing errors.

    The functions of the first revision stay, for programs of the version before.
    """
    # Words in Latin letters are stemmed as English, others as Russian, within one text.  Words as they stand find what
    # is half typed; they have no places, or a title would follow itself and phrases match that nobody wrote.
    op.execute("""
        create text search configuration english_and_russian (copy = russian);
        alter text search configuration english_and_russian
            alter mapping for asciiword, asciihword, hword_asciipart with english_stem;
        alter text search configuration english_and_russian
            alter mapping for word, hword, hword_part with russian_stem;

        create function one_spelling(said text) returns text
            language sql immutable parallel safe
            return translate(lower(said), 'ё', 'е');
        create function weighed_words(sku text, title text, description text) returns tsvector
            language sql immutable parallel safe
            return setweight(to_tsvector('english_and_russian', one_spelling(title)), 'A')
                || setweight(to_tsvector('english_and_russian', one_spelling(description)), 'D')
                || strip(to_tsvector('simple', one_spelling(sku || ' ' || title)));
    """)
    # What is excluded must not come back by its unstemmed form, so an exclusion is asked for in stems only.
    op.execute("""
        create function begun(asked tsquery, question text) returns tsquery
            language sql immutable parallel safe
            return case
                when asked::text like '%''' and question !~ '"\\s*$' then (asked::text || ':*')::tsquery
                else asked
            end;
        create function asked_words(question text) returns tsquery
            language sql immutable parallel safe
            return (
                select case when stems::text like '%!%' then stems else stems || plain end
                from (
                    select begun(websearch_to_tsquery('english_and_russian', one_spelling(question)), question),
                           begun(websearch_to_tsquery('simple', one_spelling(question)), question)
                ) as both_ways (stems, plain)
            );
    """)
    op.execute("""
        alter table products
            add column words tsvector generated always as (weighed_words(sku, title, description)) stored;
        create index products_by_weighed_words on products using gin (words);
        create index products_by_price on products (price_minor, sku);
        create index products_by_title on products (title, sku);
        drop index products_by_words;
    """)
    _vocabulary()


def _vocabulary() -> None:
    """Every word of four letters and more, and its trigrams.  PostgreSQL's pg_trgm is not there when it is embedded.

    A word that no product uses any more stays: a correction to it finds nothing, as the wrong word did.
    """
    op.execute("""
        create table search_words (word text primary key);
        create table search_trigrams (trigram text, word text, primary key (trigram, word));
        create function trigrams(word text) returns setof text
            language sql immutable parallel safe
            begin atomic
                select distinct substr('  ' || word || ' ', place, 3)
                from generate_series(1, length(word) + 1) as place;
            end;
    """)
    op.execute(VOCABULARY.format(source="products"))
    op.execute(f"""
        create function learn_words() returns trigger language plpgsql as $$
        begin
            {VOCABULARY.format(source="changed")};
            return null;
        end $$;
        create trigger learn_new_words after insert on products
            referencing new table as changed for each statement execute function learn_words();
        create trigger learn_changed_words after update on products
            referencing new table as changed for each statement execute function learn_words();
    """)
