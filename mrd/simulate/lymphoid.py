"""The catalogue of lymphoid populations of marrow, and debris; numbers and words as in `mrd.simulate.myeloid`."""

from __future__ import annotations

from mrd.simulate.population import Population

MCKENNA = "McKenna 2001, Blood 98:2498"
CRAIG = "Craig and Foon 2008, Blood 111:3941"

PRECURSOR_B = Population(
    name="B precursor",
    share=0.008,
    regrowth=4.0,
    stage=(1.8, 1.4),
    stage_regrowth=(1.5, 1.6),
    source="haematogones: CD34 lost, CD45 gained, CD38 kept bright on the way to the naive B cell, more of them in "
    f"regeneration: {MCKENNA}; "
    "Loken 1987, Blood 70:1316; van Lochem 2004, Cytometry B 60B:1",
    levels={
        "FSC": "58 60 57 54 55",
        "SSC": "10 10.5 11 11.5 12",
        "AF": "0.8",
        "CD45": "2.5 2.8 3.4 3.9 4.3",
        "CD34": "3.6 0.6 neg neg neg",
        "CD19": "2.2 3.0 3.4 3.5 3.5",
        "CD38": "4.4 4.4 4.3 3.7 2.8",
        "HLA-DR": "3.9 4.0 4.1 4.1 4.2",
        "CD7": "neg",
    },
    shift={"CD38": "0.2", "CD45": "-0.12", "CD19": "-0.2 -0.1 0"},
)

MATURE_B = Population(
    name="B cell",
    share=0.020,
    regrowth=0.6,
    blood=0.025,
    source=f"CD45 bright, CD19+ HLA-DR+, CD38 from naive dim to memory negative: {CRAIG}; Perez-Andres 2010, Cytometry B 78B:S47",
    levels={
        "FSC": "57 60",
        "SSC": "12 13",
        "AF": "0.9",
        "CD45": "4.4 4.6",
        "CD19": "3.5 3.6",
        "HLA-DR": "4.2 4.1",
        "CD38": "2.6 1.0",
    },
)

CD4_T = Population(
    name="CD4 T cell",
    share=0.042,
    regrowth=0.6,
    blood=0.13,
    source=f"CD45 bright, CD7+ CD2+ CD4+, CD7 lost and HLA-DR gained with age of the cell: {CRAIG}",
    levels={
        "FSC": "58 62",
        "SSC": "12.5 13.5",
        "AF": "1.0",
        "CD45": "4.4 4.6",
        "CD7": "3.3 3.1 1.8",
        "CD2": "3.0 3.5",
        "CD4": "3.6",
        "CD38": "2.8 1.8",
        "HLA-DR": "neg 0.2 1.8",
    },
)

CD8_T = Population(
    name="CD8 T cell",
    share=0.033,
    regrowth=0.6,
    blood=0.09,
    source=f"CD45 bright, CD7+ CD2+, CD56 on late effector cells: {CRAIG}",
    levels={
        "FSC": "58 63",
        "SSC": "12.5 15",
        "AF": "1.0",
        "CD45": "4.5 4.7",
        "CD7": "3.4 3.0 2.2",
        "CD2": "3.1 3.6",
        "CD38": "2.6 2.0 2.2",
        "HLA-DR": "neg 0.4 2.2",
        "CD56": "neg neg 0.3 2.4",
        "CD11b": "neg neg 1.8",
    },
)

NK = Population(
    name="NK cell",
    share=0.011,
    regrowth=0.8,
    blood=0.035,
    stage=(2.6, 0.9),
    source=f"from CD56 bright to CD56 dim, CD7+, CD2 and CD38 variable: {CRAIG}; mimics, doi 10.1002/cyto.b.21968",
    levels={
        "FSC": "62 64",
        "SSC": "13 15.5",
        "AF": "1.1",
        "CD45": "4.3 4.6",
        "CD56": "4.2 3.0 2.6",
        "CD7": "3.6 3.5",
        "CD2": "3.2 2.2 1.8",
        "CD38": "3.3 2.9",
        "CD11b": "0.4 2.4 2.8",
        "CD117": "1.6 0.1 neg",
        "CD33": "0.8 0.1 neg",
        "HLA-DR": "0.8 0.1",
    },
)

PLASMA = Population(
    name="plasma cell",
    share=0.003,
    regrowth=0.9,
    blood=0.0003,
    stage=(1.3, 1.6),
    source="CD38 vivid; CD19 and CD45 lost and CD56 gained along maturation: "
    "Perez-Andres 2010, Cytometry B 78B:S47; Robillard 2014, Front Immunol 5:137",
    levels={
        "FSC": "74 84 88",
        "SSC": "19 22 24",
        "AF": "1.6 2.0",
        "CD45": "3.9 3.2 2.3",
        "CD38": "5.6 5.9",
        "CD19": "3.2 2.8 1.2",
        "HLA-DR": "3.6 2.4 1.4",
        "CD56": "neg 0.3 2.2",
    },
)

LYMPHOID = (PRECURSOR_B, MATURE_B, CD4_T, CD8_T, NK, PLASMA)

DEBRIS = Population(
    name="debris",
    share=0.0,
    source="unlysed red cells, platelets, fragments: small, no CD45 (Craig and Foon 2008, Blood 111:3941)",
    leukocyte=False,
    stage=(1.1, 2.6),
    levels={"FSC": "5.5 9 17", "SSC": "1.6 3.5 7", "AF": "0.2 0.5", "CD45": "neg 0.2 0.8", "CD38": "neg 0.3", "CD33": "neg 0.2"},
)
