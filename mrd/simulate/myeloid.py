"""The catalogue of myeloid and erythroid populations of marrow.

Levels are words put on numbers by hand after the immunophenotyping literature and fitted to no data. Shares are those of
adult marrow of high purity: fourteen subsets by flow cytometry (Cytometry B 2018, PMID 30240162) and leukocyte
populations of 134 donors (Brooimans 2009, Cytometry B 76B:18). Regenerating marrow: more and less mature precursors,
and antigens a little out of step, among them CD56 on some monocytes and granulocytes (Craig and Foon 2008, Blood
111:3941; normal and reactive mimics of residual disease, doi 10.1002/cyto.b.21968).
"""

from __future__ import annotations

from mrd.simulate.population import Population

CRAIG = "Craig and Foon 2008, Blood 111:3941"
LOCHEM = "van Lochem 2004, Cytometry B 60B:1"
WOOD = "Wood 2007, Clin Lab Med 27:551"
ARNOULET = "Arnoulet 2010, Cytometry B 78B:4"
EUROFLOW = "van Dongen 2012, Leukemia 26:1908"

PROGENITOR = Population(
    name="progenitor",
    share=0.008,
    regrowth=2.6,
    blood=0.0004,
    stage=(2.2, 1.2),
    stage_regrowth=(2.6, 0.9),
    stage_blood=(1.2, 2.0),
    source=f"CD34+ cells from CD38- stem cell to committed myeloblast: {LOCHEM}; "
    "Matarraz 2008, Leukemia 22:1175; Terstappen 1991, Blood 77:1218",
    levels={
        "FSC": "64 74 86 94",
        "SSC": "13 15 19 25",
        "AF": "1.0 1.2 1.5",
        "CD45": "2.9 2.9 3.0 3.1",
        "CD34": "4.1 4.0 3.8 3.2",
        "CD117": "1.5 2.7 3.2 3.4",
        "CD33": "low 1.5 2.4 2.9",
        "CD13": "1.2 2.3 3.1 3.4",
        "HLA-DR": "2.3 3.4 3.7 3.4",
        "CD38": "low 2.5 3.5 3.7",
        "CD4": "neg low low",
        "CD15": "neg neg neg low",
    },
    shift={
        "CD34": "-0.2",
        "CD38": "0.3 0.2",
        "CD33": "0 0.3 0.4",
        "CD13": "0.2 0.4 0.3",
        "HLA-DR": "0 -0.3 -0.4",
        "CD117": "0.2",
        "FSC": "0.06",
    },
    patchy={"CD7": "1.8 1.4 0.8", "CD56": "0 0.8 1.4", "CD15": "0 0.8 1.8"},
)

GRANULOCYTIC = Population(
    name="granulocytic",
    share=0.66,
    regrowth=1.0,
    blood=0.60,
    stage=(2.6, 1.6),
    stage_regrowth=(1.8, 1.9),
    stage_blood=(30.0, 1.2),
    source=f"myeloblast to segmented neutrophil, concave CD13, HLA-DR and CD117 lost at the promyelocyte: {LOCHEM}; "
    f"{ARNOULET}; Terstappen 1990, Leukemia 4:657; {EUROFLOW}",
    levels={
        "FSC": "98 114 112 104 98 96",
        "SSC": "32 92 112 102 93 90",
        "AF": "1.5 2.4 2.5 2.2 2.0 1.9",
        "CD45": "3.1 3.2 3.3 3.4 3.6 3.9",
        "CD34": "2.6 0.3 neg neg neg neg",
        "CD117": "3.4 2.3 0.4 neg neg neg",
        "CD33": "3.1 3.6 3.2 2.7 2.4 2.2",
        "CD13": "3.4 3.2 2.1 2.0 2.8 3.7",
        "HLA-DR": "3.1 1.1 0.3 0.1 neg neg",
        "CD38": "3.6 3.3 2.9 2.5 2.1 1.5",
        "CD15": "1.2 3.4 4.1 4.1 4.0 3.9",
        "CD11b": "neg 0.4 2.1 3.0 3.4 3.6",
    },
    shift={
        "SSC": "-0.05 -0.2 -0.25 -0.2 -0.15 -0.1",
        "CD33": "0.2 0.4 0.4 0.3 0.2 0.1",
        "CD13": "0 -0.3 -0.4 -0.4 -0.3 -0.2",
        "CD117": "0 0.4 0.5 0.1 0 0",
        "HLA-DR": "0 0.5 0.3 0 0 0",
        "CD45": "-0.1",
        "CD11b": "0 0 -0.4 -0.3 -0.1 0",
    },
    patchy={"CD56": "0 0.6 1.5 1.8 1.8 1.6"},
)

MONOCYTIC = Population(
    name="monocytic",
    share=0.047,
    regrowth=1.5,
    blood=0.08,
    stage=(3.6, 1.0),
    stage_regrowth=(2.0, 1.1),
    source=f"monoblast to monocyte, CD33 and CD13 rise, HLA-DR kept: {LOCHEM}; {WOOD}; {EUROFLOW}",
    levels={
        "FSC": "94 104 108 102",
        "SSC": "23 29 34 36",
        "AF": "1.4 1.9 2.1 2.0",
        "CD45": "3.1 3.5 3.9 4.2",
        "CD34": "2.6 0.4 neg neg",
        "CD117": "3.0 1.4 0.1 neg",
        "CD33": "3.3 4.0 4.4 4.3",
        "CD13": "3.0 2.6 3.0 3.4",
        "HLA-DR": "3.8 4.3 4.1 3.8",
        "CD38": "3.6 3.7 3.4 3.2",
        "CD15": "1.5 2.7 2.3 1.5",
        "CD11b": "low 2.6 3.5 3.7",
        "CD4": "1.2 1.9 2.2 2.3",
    },
    shift={
        "HLA-DR": "-0.2 -0.4 -0.5",
        "CD33": "0.2 0.3",
        "CD13": "0.2 0.3 -0.2",
        "CD45": "-0.15",
        "CD117": "0 0.3 0 0",
        "CD38": "0.2",
    },
    patchy={"CD56": "0.5 2.2 2.6", "CD2": "0 0.8 0.6"},
)

ERYTHROID = Population(
    name="erythroid",
    share=0.135,
    regrowth=1.5,
    blood=0.0,
    stage=(2.8, 1.3),
    stage_regrowth=(2.2, 1.5),
    source=f"proerythroblast to orthochromatic erythroblast, CD45 and size lost: {LOCHEM}; Loken 1987, Blood 69:255",
    leukocyte=False,
    levels={
        "FSC": "112 96 74 55 44",
        "SSC": "20 18 14 11 9",
        "AF": "1.3 1.1 0.8 0.6 0.5",
        "CD45": "2.8 2.1 1.1 0.3 neg neg",
        "CD34": "1.8 0.2 neg neg neg",
        "CD117": "3.4 2.6 0.5 neg neg",
        "CD33": "low 0.2 neg neg",
        "CD13": "low 0.1 neg neg",
        "HLA-DR": "2.6 1.3 0.2 neg neg",
        "CD38": "3.3 2.4 1.1 0.4 0.1",
    },
    shift={"CD117": "0.2 0.4 0.3 0", "CD38": "0.3 0.2 0"},
)

EOSINOPHIL = Population(
    name="eosinophil",
    share=0.024,
    regrowth=0.8,
    blood=0.025,
    stage=(3.0, 1.2),
    source=f"very high side scatter and autofluorescence, CD45 bright, CD33 dim, no HLA-DR: {WOOD}; {ARNOULET}",
    levels={
        "FSC": "98 92",
        "SSC": "140 165 150",
        "AF": "5.5 6.5 6.0",
        "CD45": "3.7 4.3",
        "CD33": "2.6 1.9",
        "CD13": "2.6 3.1",
        "CD38": "2.2 1.4",
        "CD15": "3.2 3.0",
        "CD11b": "2.2 3.5",
    },
)

BASOPHIL = Population(
    name="basophil",
    share=0.003,
    regrowth=1.3,
    blood=0.006,
    source=f"CD45 dimmer than lymphocytes, CD33+ CD13+ CD38+ without HLA-DR: {WOOD}; {CRAIG}",
    levels={
        "FSC": "66 62",
        "SSC": "17 16",
        "AF": "1.1",
        "CD45": "3.5 3.8",
        "CD34": "0.6 neg",
        "CD117": "1.5 0.2 neg",
        "CD33": "3.1 3.5",
        "CD13": "2.5 2.9",
        "CD38": "3.4 3.0",
        "CD11b": "2.0 2.8",
        "CD15": "low",
        "HLA-DR": "0.6 neg",
    },
)

MAST = Population(
    name="mast",
    share=0.0002,
    regrowth=1.0,
    source="CD117 brighter than any other marrow cell, large and granular: Escribano 1998, Anal Cell Pathol 16:151",
    levels={
        "FSC": "105 112",
        "SSC": "75 90",
        "AF": "4.0",
        "CD45": "3.9 4.2",
        "CD117": "5.2 5.6",
        "CD33": "4.0",
        "CD13": "1.8 2.2",
        "HLA-DR": "low",
        "CD38": "1.4",
        "CD11b": "1.2",
    },
)

DENDRITIC = Population(
    name="dendritic",
    share=0.0015,
    regrowth=1.3,
    blood=0.002,
    source="myeloid dendritic cells, HLA-DR vivid and CD33 bright: MacDonald 2002, Blood 100:4512",
    levels={
        "FSC": "84 86",
        "SSC": "22 24",
        "AF": "1.5",
        "CD45": "3.6 4.1",
        "CD33": "4.0 4.3",
        "CD13": "3.2 3.4",
        "HLA-DR": "4.4 4.8",
        "CD38": "3.0 2.6",
        "CD11b": "2.6",
        "CD4": "2.4",
        "CD2": "low mod",
    },
)

PLASMACYTOID = Population(
    name="plasmacytoid dendritic",
    share=0.002,
    regrowth=1.4,
    blood=0.001,
    stage=(3.0, 1.2),
    source="HLA-DR bright, CD4+, little CD33 and CD13, low side scatter: "
    "Dzionek 2000, J Immunol 165:6037; MacDonald 2002, Blood 100:4512",
    levels={
        "FSC": "74 70",
        "SSC": "17 16",
        "AF": "1.1",
        "CD45": "3.4 3.9",
        "CD34": "2.0 0.2 neg",
        "CD117": "1.2 neg neg",
        "CD33": "1.2 0.6",
        "CD13": "1.0 0.3",
        "HLA-DR": "4.1 4.3",
        "CD38": "3.5 3.0",
        "CD4": "2.4 3.3",
        "CD56": "neg 0.2 1.6",
        "CD7": "0.4 1.2",
        "CD2": "0.3 1.4",
    },
)

MYELOID = (PROGENITOR, GRANULOCYTIC, MONOCYTIC, ERYTHROID, EOSINOPHIL, BASOPHIL, MAST, DENDRITIC, PLASMACYTOID)
