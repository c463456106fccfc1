"""The fields of every resource: names, kinds, lengths, which of them a client may send.

Belongs here: tables. Does not belong here: rules. Source: cin7-omni.md 6.1, 6.2, 10. Adjustments and Users are listed
there without fields: theirs are the order's own names, as few as serve.
"""

from __future__ import annotations

from ledger_pipelines.sandbox.cin7.fields import (
    AMOUNT,
    COUNT,
    DATE,
    INTEGER,
    LIST,
    LONG,
    NUMBER,
    OBJECT,
    OFF,
    ON,
    SHORT,
    TEXT,
    Field,
    Kind,
    Spec,
    fields,
    read_only,
)

TAX = Field(Kind.ENUM, choices=("Undefined", "Incl", "Excl", "Exempt"))
STATUS = Field(Kind.ENUM, choices=("DRAFT", "APPROVED", "VOID"), written=False)
_ID = {"id": read_only(INTEGER)}
_MADE = {"createdDate": read_only(DATE), "modifiedDate": read_only(DATE)}

_PARTY: Spec = {
    **fields(LONG, "firstName lastName company email"),
    **fields(SHORT, "phone mobile fax"),
    **fields(LONG, "deliveryFirstName deliveryLastName deliveryCompany deliveryAddress1 deliveryAddress2 deliveryCity "
             "deliveryState deliveryPostalCode deliveryCountry billingFirstName billingLastName billingCompany "
             "billingAddress1 billingAddress2 billingCity billingPostalCode billingState billingCountry"),
}  # fmt: skip
_HEADER: Spec = {
    **_ID,
    "createdDate": DATE,
    "modifiedDate": read_only(DATE),
    **fields(read_only(COUNT), "createdBy processedBy"),
    "isApproved": ON,
    "reference": Field(Kind.TEXT, 30),
    "memberId": COUNT,
    "memberEmail": LONG,
    **_PARTY,
    "branchId": COUNT,
    "branchEmail": LONG,
    "projectName": TEXT,
    "trackingCode": SHORT,
    "internalComments": TEXT,
    "productTotal": read_only(AMOUNT),
    "freightTotal": AMOUNT,
    "freightDescription": TEXT,
    "surcharge": AMOUNT,
    "surchargeDescription": TEXT,
    "discountTotal": AMOUNT,
    "discountDescription": TEXT,
    "total": read_only(AMOUNT),
    "currencyId": read_only(COUNT),
    "currencyCode": Field(Kind.TEXT, 3),
    "currencyRate": NUMBER,
    "currencySymbol": read_only(TEXT),
    "taxStatus": TAX,
    "taxRate": NUMBER,
    "source": read_only(Field(Kind.TEXT, initial="API")),
    "customFields": OBJECT,
}
_WORK: Spec = {
    "accountingAttributes": Field(
        Kind.OBJECT, initial={"importDate": None, "accountingImportStatus": "NotImported"}
    ),
    **fields(TEXT, "memberCostCenter costCenter memberAlternativeTaxRate alternativeTaxRate"),
    "estimatedDeliveryDate": DATE,
    "salesPersonId": COUNT,
    "salesPersonEmail": read_only(LONG),
    "paymentTerms": TEXT,
    "customerOrderNo": Field(Kind.TEXT, 100),
    "voucherCode": Field(Kind.TEXT, 30),
    "deliveryInstructions": Field(Kind.TEXT, 2000),
    "status": STATUS,
}
ORDER: Spec = {
    **_HEADER,
    "isVoid": OFF,
    **_WORK,
    "stage": Field(Kind.TEXT, initial="New"),
    **fields(read_only(DATE), "cancellationDate modifiedCOGSDate"),
    "invoiceDate": DATE,
    "invoiceNumber": read_only(COUNT),
    "dispatchedDate": DATE,
    "logisticsCarrier": TEXT,
    "logisticsStatus": read_only(COUNT),
    **fields(COUNT, "ediStatus distributionBranchId"),
    **fields(TEXT, "departmentNumber storeLocationNumber distributionCenter"),
    "lineItems": LIST,
}
CREDIT: Spec = {
    **_HEADER,
    **_WORK,
    "salesReference": Field(Kind.TEXT, 30),
    "creditNoteNumber": read_only(COUNT),
    **fields(DATE, "creditNoteDate completedDate"),
    "customerReport": TEXT,
    "alternativeAccountCode": TEXT,
    "lineItems": LIST,
}
_LINE_HEAD: Spec = {
    "id": read_only(INTEGER),
    "createdDate": read_only(DATE),
    "transactionId": read_only(COUNT),
    "parentId": read_only(COUNT),
    "productId": read_only(COUNT),
    "productOptionId": COUNT,
    "integrationRef": TEXT,
    "sort": COUNT,
    **fields(LONG, "code name option1 option2 option3"),
    "qty": AMOUNT,
    **fields(LONG, "styleCode barcode"),
    "sizeCodes": read_only(TEXT),
    "sizes": read_only(LIST),
    "lineComments": TEXT,
    "unitCost": AMOUNT,
    "unitPrice": AMOUNT,
}
_LINE_TAIL: Spec = {
    "discount": AMOUNT,
    "qtyShipped": read_only(AMOUNT),
    "accountCode": TEXT,
    "stockControl": read_only(Field(Kind.TEXT, initial="Undefined")),
    "stockMovements": read_only(LIST),
    "taxRate": NUMBER,
}
LINE: Spec = {
    **_LINE_HEAD,
    **fields(AMOUNT, "uomPrice uomQtyOrdered"),
    **fields(read_only(AMOUNT), "uomQtyShipped uomSize holdingQty"),
    **_LINE_TAIL,
    "supplierCode": LONG,
}
CREDIT_LINE: Spec = {**_LINE_HEAD, **_LINE_TAIL, "supplierCode": LONG}

_CONTACT_BASE: Spec = {
    **_ID,
    **_MADE,
    "isActive": ON,
    "type": Field(Kind.ENUM, choices=("Customer", "Supplier"), initial="Customer"),
    **fields(LONG, "company firstName lastName jobTitle email website"),
    **fields(SHORT, "phone fax mobile"),
    **fields(LONG, "address1 address2 city state postCode country postalAddress1 postalAddress2 postalCity postalPostCode "
             "postalState postalCountry"),
    "notes": TEXT,
    "integrationRef": TEXT,
    "customFields": OBJECT,
    "secondaryContacts": LIST,
}  # fmt: skip
CONTACT: Spec = {
    **_CONTACT_BASE,
    "salesPersonId": COUNT,
    "accountNumber": TEXT,
    "billingId": COUNT,
    **fields(LONG, "billingCompany accountsFirstName accountsLastName billingEmail"),
    "accountsPhone": SHORT,
    **fields(TEXT, "billingCostCenter costCenter priceColumn"),
    "percentageOff": AMOUNT,
    "paymentTerms": TEXT,
    "taxStatus": TAX,
    "taxNumber": TEXT,
    "creditLimit": AMOUNT,
    "balanceOwing": read_only(AMOUNT),
    "onHold": OFF,
    **fields(TEXT, "group subGroup stages"),
    "accountingIntegrationId": read_only(OBJECT),
}
SECONDARY: Spec = {
    **_ID,
    **fields(LONG, "company firstName lastName jobTitle email"),
    **fields(SHORT, "mobile phone"),
}
BRANCH: Spec = {
    **_CONTACT_BASE,
    "branchType": TEXT,
    "stockControlOptions": TEXT,
    "taxStatus": TAX,
    "accountNumber": TEXT,
    "branchLocations": LIST,
}
PRODUCT: Spec = {
    **_ID,
    "status": Field(Kind.ENUM, choices=("Inactive", "Public", "ShowInB2B", "Internal"), initial="Public"),
    **_MADE,
    "styleCode": LONG,
    "name": LONG,
    **fields(TEXT, "description tags"),
    "images": read_only(LIST),
    **fields(TEXT, "pdfUpload pdfDescription"),
    "supplierId": COUNT,
    **fields(TEXT, "brand category subCategory"),
    "categoryIdArray": LIST,
    "channels": TEXT,
    **fields(read_only(AMOUNT), "weight height width length volume"),
    **fields(TEXT, "stockControl orderType productType productSubtype projectName optionLabel1 optionLabel2 optionLabel3 "
             "salesAccount purchasesAccount"),
    "importCustomsDuty": AMOUNT,
    "sizeRangeId": COUNT,
    "customFields": OBJECT,
    "productOptions": LIST,
}  # fmt: skip
DIMENSIONS: Spec = fields(AMOUNT, "weight height width length volume")
OPTION: Spec = {
    **_ID,
    **_MADE,
    "status": Field(Kind.ENUM, choices=("Primary", "Active", "Disabled"), initial="Active"),
    "productId": COUNT,
    **fields(read_only(LONG), "code barcode"),
    **fields(LONG, "productOptionCode productOptionSizeCode productOptionBarcode productOptionSizeBarcode supplierCode "
             "option1 option2 option3"),
    "optionWeight": AMOUNT,
    "size": LONG,
    "sizeId": read_only(COUNT),
    **fields(AMOUNT, "retailPrice wholesalePrice vipPrice specialPrice"),
    "specialsStartDate": DATE,
    "specialDays": COUNT,
    **fields(read_only(AMOUNT), "stockAvailable stockOnHand"),
    "uomOptions": read_only(LIST),
    "image": read_only(OBJECT),
    "priceColumns": OBJECT,
}  # fmt: skip
STOCK: Spec = {
    **fields(INTEGER, "productId productOptionId"),
    "modifiedDate": DATE,
    **fields(TEXT, "styleCode code barcode"),
    "branchId": INTEGER,
    **fields(TEXT, "branchName productName option1 option2 option3 size"),
    **fields(NUMBER, "available stockOnHand openSales incoming virtual holding"),
}
PAYMENT: Spec = {
    **_ID,
    **_MADE,
    "paymentDate": DATE,
    "amount": NUMBER,
    "method": LONG,
    "direction": COUNT,
    "isAuthorized": ON,
    "transactionRef": LONG,
    "comments": TEXT,
    "orderId": COUNT,
    "orderRef": read_only(TEXT),
    "paymentImportedRef": TEXT,
    "batchReference": read_only(TEXT),
    "reconcileDate": DATE,
    "branchId": COUNT,
    "orderType": Field(Kind.ENUM, choices=("SalesOrder", "CreditNote"), initial="SalesOrder"),
}
ADJUSTMENT: Spec = {
    **_ID,
    "createdDate": DATE,
    "modifiedDate": read_only(DATE),
    "isApproved": ON,
    "reference": Field(Kind.TEXT, 30),
    "branchId": COUNT,
    "internalComments": TEXT,
    "lineItems": LIST,
}
ADJUSTMENT_LINE: Spec = {
    "id": read_only(INTEGER),
    "productId": read_only(COUNT),
    "productOptionId": COUNT,
    **fields(LONG, "code name"),
    "qty": AMOUNT,
    "unitCost": AMOUNT,
}
USER: Spec = {**_ID, **fields(LONG, "firstName lastName email"), "isActive": ON}
